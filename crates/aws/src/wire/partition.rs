//! The partitions of AWS: which names their services, sign-in and console have.
//!
//! Source: the partition and endpoint rule sets that AWS publishes with its SDKs (`partitions.json`, the rule sets of IAM
//! and of sign-in). Compiled in: a region that is not known belongs to the partition that its prefix names.

/// A group of regions with accounts, names and sign-in of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Its name in ARNs, such as `aws-us-gov`.
    pub name: &'static str,
    prefixes: &'static [&'static str],
    pub(super) dns: &'static str,
    pub(super) dual_stack_dns: &'static str,
    pub(super) iam: Iam,
    /// The host of the sign-in service, with the region that serves all of the partition where there is one.
    pub(crate) sign_in: &'static str,
    /// The domain of the web console.
    pub(crate) console: &'static str,
}

/// The hosts of IAM, one for a whole partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Iam {
    pub(super) host: &'static str,
    pub(super) fips: &'static str,
    pub(super) dual_stack: &'static str,
    pub(super) fips_dual_stack: &'static str,
    /// The region that requests are signed for.
    pub(super) region: &'static str,
}

impl Partition {
    /// The partition of a region.
    #[must_use]
    pub fn of(region: &str) -> &'static Self {
        let named = |partition: &&Self| partition.prefixes.iter().any(|prefix| region.starts_with(prefix));
        OTHERS.iter().find(named).unwrap_or(&AWS)
    }
}

const AWS: Partition = Partition {
    name: "aws",
    prefixes: &[],
    dns: "amazonaws.com",
    dual_stack_dns: "api.aws",
    iam: Iam {
        host: "iam.amazonaws.com",
        fips: "iam-fips.amazonaws.com",
        dual_stack: "iam.global.api.aws",
        fips_dual_stack: "iam-fips.global.api.aws",
        region: "us-east-1",
    },
    sign_in: "us-east-1.signin.aws.amazon.com",
    console: "console.aws.amazon.com",
};

static OTHERS: &[Partition] = &[
    Partition {
        name: "aws-cn",
        prefixes: &["cn-", "aws-cn-"],
        dns: "amazonaws.com.cn",
        dual_stack_dns: "api.amazonwebservices.com.cn",
        iam: Iam {
            host: "iam.cn-north-1.amazonaws.com.cn",
            fips: "iam-fips.amazonaws.com.cn",
            dual_stack: "iam.global.api.amazonwebservices.com.cn",
            fips_dual_stack: "iam-fips.api.amazonwebservices.com.cn",
            region: "cn-north-1",
        },
        sign_in: "signin.amazonaws.cn",
        console: "console.amazonaws.cn",
    },
    Partition {
        name: "aws-us-gov",
        prefixes: &["us-gov-", "aws-us-gov-"],
        dns: "amazonaws.com",
        dual_stack_dns: "api.aws",
        iam: Iam {
            host: "iam.us-gov.amazonaws.com",
            fips: "iam.us-gov.amazonaws.com",
            dual_stack: "iam.us-gov.api.aws",
            fips_dual_stack: "iam.us-gov.api.aws",
            region: "us-gov-west-1",
        },
        sign_in: "signin.amazonaws-us-gov.com",
        console: "console.amazonaws-us-gov.com",
    },
    Partition {
        name: "aws-eusc",
        prefixes: &["eusc-", "aws-eusc-"],
        dns: "amazonaws.eu",
        dual_stack_dns: "api.amazonwebservices.eu",
        iam: Iam {
            host: "iam.eusc-de-east-1.amazonaws.eu",
            fips: "iam-fips.amazonaws.eu",
            dual_stack: "iam.global.api.amazonwebservices.eu",
            fips_dual_stack: "iam-fips.api.amazonwebservices.eu",
            region: "eusc-de-east-1",
        },
        sign_in: "signin.amazonaws-eusc.eu",
        console: "console.amazonaws-eusc.eu",
    },
    Partition {
        name: "aws-iso",
        prefixes: &["us-iso-", "aws-iso-global"],
        dns: "c2s.ic.gov",
        dual_stack_dns: "api.aws.ic.gov",
        iam: Iam {
            host: "iam.us-iso-east-1.c2s.ic.gov",
            fips: "iam-fips.us-iso-east-1.c2s.ic.gov",
            dual_stack: "iam.api.aws.ic.gov",
            fips_dual_stack: "iam-fips.api.aws.ic.gov",
            region: "us-iso-east-1",
        },
        sign_in: "signin.c2shome.ic.gov",
        console: "console.c2shome.ic.gov",
    },
    Partition {
        name: "aws-iso-b",
        prefixes: &["us-isob-", "aws-iso-b-"],
        dns: "sc2s.sgov.gov",
        dual_stack_dns: "api.aws.scloud",
        iam: Iam {
            host: "iam.us-isob-east-1.sc2s.sgov.gov",
            fips: "iam-fips.us-isob-east-1.sc2s.sgov.gov",
            dual_stack: "iam.api.aws.scloud",
            fips_dual_stack: "iam-fips.api.aws.scloud",
            region: "us-isob-east-1",
        },
        sign_in: "signin.sc2shome.sgov.gov",
        console: "console.sc2shome.sgov.gov",
    },
    Partition {
        name: "aws-iso-e",
        prefixes: &["eu-isoe-", "aws-iso-e-"],
        dns: "cloud.adc-e.uk",
        dual_stack_dns: "api.cloud-aws.adc-e.uk",
        iam: Iam {
            host: "iam.eu-isoe-west-1.cloud.adc-e.uk",
            fips: "iam-fips.cloud.adc-e.uk",
            dual_stack: "iam.api.cloud-aws.adc-e.uk",
            fips_dual_stack: "iam-fips.api.cloud-aws.adc-e.uk",
            region: "eu-isoe-west-1",
        },
        sign_in: "signin.csphome.adc-e.uk",
        console: "console.csphome.adc-e.uk",
    },
    Partition {
        name: "aws-iso-f",
        prefixes: &["us-isof-", "aws-iso-f-"],
        dns: "csp.hci.ic.gov",
        dual_stack_dns: "api.aws.hci.ic.gov",
        iam: Iam {
            host: "iam.us-isof-south-1.csp.hci.ic.gov",
            fips: "iam-fips.csp.hci.ic.gov",
            dual_stack: "iam.api.aws.hci.ic.gov",
            fips_dual_stack: "iam-fips.api.aws.hci.ic.gov",
            region: "us-isof-south-1",
        },
        sign_in: "signin.csphome.hci.ic.gov",
        console: "console.csphome.hci.ic.gov",
    },
];
