//! kubectl on a real API server, with the rights of one user.

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::{Watch, done, op, record, settings};
use crate::home;

const DEPLOYMENT: [(&str, &str); 5] = [
    ("group", "apps"),
    ("version", "v1"),
    ("namespace", "web"),
    ("resource", "deployments"),
    ("name", "front"),
];

#[expect(clippy::too_many_lines, reason = "one story, on a server that takes seconds to start")]
#[test]
fn kubectl_reads_writes_and_is_refused_on_a_real_api_server() {
    let doorward = home();
    let token = doorward.plant("kube");
    let Some(cluster) = Cluster::start(&token) else { return };
    cluster.admin(&["create", "namespace", "web"]);
    cluster.admin(&["--namespace=web", "create", "deployment", "front", "--image=nginx"]);
    cluster.admin(&[
        "--namespace=web",
        "create",
        "secret",
        "generic",
        "hidden",
        "--from-literal=word=kept-to-itself",
    ]);
    cluster.admin(&[
        "--namespace=web",
        "create",
        "role",
        "scaler",
        "--verb=get,list,patch,update",
        "--resource=deployments.apps,deployments.apps/scale",
    ]);
    cluster.admin(&[
        "--namespace=web",
        "create",
        "role",
        "reader",
        "--verb=get,list",
        "--resource=secrets,events,pods",
    ]);
    cluster.admin(&[
        "--namespace=web",
        "create",
        "rolebinding",
        "scaler",
        "--role=scaler",
        "--user=doorward",
    ]);
    cluster.admin(&[
        "--namespace=web",
        "create",
        "rolebinding",
        "reader",
        "--role=reader",
        "--user=doorward",
    ]);
    settings(&doorward, &[cluster.tools()], &[cluster.tools()]);
    cluster.integration(&doorward, "cluster", "kubernetes", "");
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "cluster/token"], &token).succeeded();
    let watch = Watch::for_secrets(&[&token]);

    let told = done(&doorward, "cluster.version.show", &[]);
    assert_eq!(told["evidence_fields"]["version"], "v1.37.1");

    let before = cluster.object("deployment", "front");
    let told = done(&doorward, "cluster.get", &DEPLOYMENT);
    assert_eq!((&told["used"], &told["exit"]), (&json!("cli"), &json!(0)));
    assert_eq!(told["output"]["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(told["evidence_fields"]["resource_version"], before["metadata"]["resourceVersion"]);
    assert!(record(&doorward, &told).contains("/kubectl\""));

    // What is in a secret stays there; its keys are no secret.
    let told = done(&doorward, "cluster.secrets.get", &[("namespace", "web"), ("name", "hidden")]);
    assert_eq!(told["output"]["metadata"]["name"], "hidden");
    assert!(!told.to_string().contains("a2VwdC10by1pdHNlbGY"), "{told}");

    let scale = [("namespace", "web"), ("resource", "deployments"), ("name", "front"), ("replicas", "3")];
    let told = done(&doorward, "cluster.scale", &scale);
    let after = cluster.object("deployment", "front");
    assert_eq!(after["spec"]["replicas"], 3);
    assert_ne!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
    let fields = &told["evidence_fields"];
    assert_eq!((&fields["replicas_after"], &fields["replicas"]), (&json!("3"), &Value::Null));
    assert_eq!(fields["version_before"], before["metadata"]["resourceVersion"]);
    assert_eq!(fields["version_after"], after["metadata"]["resourceVersion"]);
    assert!(record(&doorward, &told).contains("version_after="));

    // Somebody else was faster: the version is another one by now.
    let old = before["metadata"]["resourceVersion"].as_str().unwrap();
    let (told, was_done) = op(
        &doorward,
        "cluster.scale",
        &[&scale[..3], &[("replicas", "5"), ("resource_version", old)]].concat(),
    );
    assert!(!was_done && told["stderr"].as_str().unwrap().contains("resource version"), "{told}");
    assert_eq!(cluster.object("deployment", "front")["spec"]["replicas"], 3);

    // What the user may not is not done, whatever Doorward allows.
    let (told, was_done) =
        op(&doorward, "cluster.get", &[("namespace", "kube-system"), ("resource", "pods")]);
    assert!(!was_done && told["stderr"].as_str().unwrap().contains("Forbidden"), "{told}");
    assert_eq!(told["evidence_fields"], json!({}));
    assert!(record(&doorward, &told).contains("failed"));

    // Without the program the same is sent as a request, to the same server.
    settings(&doorward, &[], &[]);
    let told = done(&doorward, "cluster.get", &DEPLOYMENT);
    assert_eq!((&told["used"], &told["output"]["spec"]["replicas"]), (&json!("http"), &json!(3)));
    let told = done(&doorward, "cluster.scale", &[&scale[..3], &[("replicas", "2")]].concat());
    assert_eq!(told["evidence_fields"]["replicas_after"], "2");
    assert_eq!(cluster.object("deployment", "front")["spec"]["replicas"], 2);

    watch.saw_nothing();
    doorward.assert_no_canary();
}
