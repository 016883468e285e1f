//! Helm on a real API server, with a chart from a place of its own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use serde_json::json;

use super::cluster::Cluster;
use super::{Watch, done, installed, op, record, settings};
use crate::place::HELM;
use crate::{home, write};

/// Serves one file to whoever asks, and keeps what it was asked. It ends with the test's process.
fn serve(bytes: Vec<u8>) -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (heard, hears) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = Vec::new();
            let mut byte = [0];
            while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
                asked.push(byte[0]);
            }
            let _ = heard.send(String::from_utf8_lossy(&asked).into_owned());
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes));
        }
    });
    (url, hears)
}

#[expect(clippy::too_many_lines, reason = "one story, on a server that takes seconds to start")]
#[test]
fn helm_installs_upgrades_and_goes_back_on_a_real_api_server() {
    let doorward = home();
    let token = doorward.plant("helm");
    let Some(helm) = installed(HELM, "tools-kubernetes").map(|folder| folder.join("bin")) else { return };
    let Some(cluster) = Cluster::start(&token) else { return };
    cluster.admin(&["create", "namespace", "web"]);
    cluster.admin(&[
        "--namespace=web",
        "create",
        "role",
        "releases",
        "--verb=*",
        "--resource=secrets,configmaps",
    ]);
    cluster.admin(&[
        "--namespace=web",
        "create",
        "rolebinding",
        "releases",
        "--role=releases",
        "--user=doorward",
    ]);
    let chart = doorward.folder().join("words");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    write(chart.join("Chart.yaml"), "apiVersion: v2\nname: words\nversion: 0.1.0\n");
    write(chart.join("values.yaml"), "word: one\n");
    write(
        chart.join("templates/words.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}-words\"}\ndata: {word: \"{{ .Values.word }}\"}\n",
    );
    let packed = Command::new(helm.join("helm"))
        .arg("package")
        .arg(&chart)
        .arg("-d")
        .arg(doorward.folder())
        .output()
        .unwrap();
    assert!(packed.status.success());
    let (charts, asked) = serve(std::fs::read(doorward.folder().join("words-0.1.0.tgz")).unwrap());
    settings(&doorward, &[&helm], &[&helm]);
    cluster.integration(&doorward, "releases", "helm", "");
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "releases/token"], &token).succeeded();
    let watch = Watch::for_secrets(&[&token]);

    // A place that the file does not list is not reached.
    let chart = format!("{charts}/words-0.1.0.tgz");
    let install = [("release", "demo"), ("chart", chart.as_str()), ("namespace", "web")];
    let (told, was_done) = op(&doorward, "releases.release.upgrade", &install);
    assert!(!was_done, "{told}");
    assert!(asked.try_recv().is_err());
    cluster.integration(&doorward, "releases", "helm", &format!("reaches: [\"{charts}\"]\n"));

    let told = done(&doorward, "releases.release.upgrade", &install);
    let fields = &told["evidence_fields"];
    assert_eq!(
        (&fields["release"], &fields["revision"], &fields["status"]),
        (&json!("demo"), &json!("1"), &json!("deployed"))
    );
    // There was nothing before it.
    assert_eq!(fields["revision_before"], "missing: the service refused");
    assert!(!asked.recv().unwrap().contains(&token));
    assert_eq!(cluster.object("configmap", "demo-words")["data"]["word"], "one");
    // Without values of its own a release has none that could be told.
    let (manifest, empty) = (fields["manifest"].clone(), json!("missing: nothing of it in the answer"));
    assert!(fields["values"].is_null());
    assert_eq!(manifest.as_str().unwrap().len(), 64);
    let values = [&install[..], &[("values", "word: \"two, $(id)\"\n")]].concat();
    let told = done(&doorward, "releases.release.upgrade", &values);
    let fields = &told["evidence_fields"];
    assert_eq!((&fields["revision"], &fields["revision_before"]), (&json!("2"), &json!("1")));
    // What was changed is told by digests: the manifest and the values, before and after.
    assert_eq!((&fields["manifest_before"], &fields["values_before"]), (&manifest, &empty));
    assert_ne!((&fields["manifest"], &fields["values"]), (&manifest, &empty));
    assert_eq!(fields["manifest_lines"], fields["manifest_lines_before"]);
    // And line by line.
    let word = "ConfigMap/demo-words data.word";
    assert_eq!(fields["diff"], format!("- {word}: one ⏎ + {word}: two, $(id)"));
    assert!(record(&doorward, &told).contains(&format!("diff=- {word}: one")));
    assert_eq!(cluster.object("configmap", "demo-words")["data"]["word"], "two, $(id)");
    assert!(record(&doorward, &told).contains("revision=2"));

    let of = [("release", "demo"), ("namespace", "web")];
    assert_eq!(done(&doorward, "releases.release.status", &of)["evidence_fields"]["status"], "deployed");
    assert_eq!(done(&doorward, "releases.release.values", &of)["output"]["word"], "two, $(id)");
    assert_eq!(
        done(&doorward, "releases.releases.list", &[("namespace", "web")])["evidence_fields"]["releases"],
        "demo"
    );
    let told = done(&doorward, "releases.release.rollback", &[&of[..], &[("revision", "1")]].concat());
    let fields = &told["evidence_fields"];
    assert_eq!((&fields["revision_before"], &fields["revision"]), (&json!("2"), &json!("3")));
    assert_eq!((&fields["manifest"], &fields["values"]), (&manifest, &empty));
    assert_ne!(fields["manifest_before"], manifest);
    assert_eq!(fields["diff"], format!("- {word}: two, $(id) ⏎ + {word}: one"));
    assert_eq!(cluster.object("configmap", "demo-words")["data"]["word"], "one");
    let told = done(&doorward, "releases.release.history", &of);
    assert_eq!(told["evidence_fields"]["latest"], "3", "{told}");

    // A release that is not there is a failure, and so is a program that is not there.
    let (told, was_done) =
        op(&doorward, "releases.release.status", &[("release", "none"), ("namespace", "web")]);
    assert!(!was_done && told["stderr"].as_str().unwrap().contains("not found"), "{told}");
    settings(&doorward, &[], &[]);
    let refused =
        doorward.run(&["op", "run", "releases.releases.list", "--input", "namespace=web"], "").failed_with(1);
    assert!(refused.contains("cli not available"), "{refused}");

    watch.saw_nothing();
    doorward.assert_no_canary();
}
