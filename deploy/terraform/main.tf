# Doorward in a cluster by its Helm chart: a namespace and the release. An example to start from; the chart's values say what else
# there is.
#
#   terraform init && terraform apply -var registry=registry.example
#
# No secret goes through Terraform, because its state keeps whatever passes. The key of the home is made beside it:
#
#   head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' > doorward.key
#   kubectl --namespace doorward create secret generic doorward-key --from-file=key=doorward.key

terraform {
  required_version = ">= 1.5"
  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.30, < 4.0"
    }
    helm = {
      source  = "hashicorp/helm"
      version = ">= 3.0, < 4.0"
    }
  }
}

variable "registry" {
  description = "The registry that the images of deploy/images were pushed to."
  type        = string
  validation {
    condition     = length(var.registry) > 0
    error_message = "Images are not published: name your registry."
  }
}

variable "namespace" {
  description = "Where it runs."
  type        = string
  default     = "doorward"
}

variable "key_secret" {
  description = "A secret in the namespace whose entry `key` opens the home; without one the key lies in the home's own volume."
  type        = string
  default     = ""
}

variable "domains" {
  description = "Names under which the gateway is called, beside those of its service."
  type        = list(string)
  default     = []
}

variable "tls_secret" {
  description = "A secret of the type kubernetes.io/tls with the gateway's certificate; without one callers reach it in the clear."
  type        = string
  default     = ""
}

variable "integrations" {
  description = "Integrations of your own: name of the file to its text. They name secrets and hold none."
  type        = map(string)
  default     = {}
}

resource "kubernetes_namespace_v1" "doorward" {
  metadata {
    name = var.namespace
    labels = {
      "pod-security.kubernetes.io/enforce" = "restricted"
    }
  }
}

resource "helm_release" "doorward" {
  name      = "doorward"
  namespace = kubernetes_namespace_v1.doorward.metadata[0].name
  chart     = "${path.module}/../helm/doorward"
  atomic    = true

  values = [yamlencode({
    image = {
      registry = var.registry
    }
    gateway = {
      domains      = var.domains
      integrations = var.integrations
      key = {
        existingSecret = var.key_secret
        key            = "key"
      }
      tls = {
        existingSecret = var.tls_secret
      }
    }
  })]
}

output "gateway" {
  description = "Where callers in the cluster reach the gateway."
  value       = "${var.tls_secret == "" ? "http" : "https"}://doorward-gateway.${var.namespace}.svc:8080"
}
