//! Paths as the kernel shows them.

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const INNER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const POD: &str = "11111111-2222-3333-4444-555555555555";

#[test]
fn only_the_one_unified_control_group_counts() {
    assert_eq!(unified("0::/a b/c\n"), Some("/a b/c"));
    assert_eq!(unified("2:cpu:/x\n0::/y\n"), Some("/y"));
    let none = [
        "",
        "2:cpu:/x\n",
        "0::\n",
        "0::/\n",
        "0::/a\n0::/b\n",
        "0::/a (deleted)\n",
        "10::/a\n",
        "0::/../a\n",
        "0::/a//b",
    ];
    for text in none {
        assert_eq!(unified(text), None, "{text}");
    }
}

#[test]
fn a_unit_is_the_first_that_is_no_slice() {
    for (path, expected) in [
        ("/system.slice/web.service", Some("web.service")),
        ("/system.slice/system-db.slice/db@1.service/worker", Some("db@1.service")),
        // What a service makes up below itself stays its own.
        ("/system.slice/web.service/db.service", Some("web.service")),
        ("/user.slice/user-1000.slice/session-3.scope", Some("session-3.scope")),
        ("/user.slice/user-1000.slice/user@1000.service", Some("user@1000.service")),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", Some("user@1000.service")),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service/y.service",
            Some("user@1000.service/app-x.service"),
        ),
        ("/docker/abc", None),
        ("/web", None),
        ("/init.scope", Some("init.scope")),
    ] {
        assert_eq!(unit(path).as_deref(), expected, "{path}");
    }
}

fn found(path: &str) -> Option<(&'static str, Option<String>, Option<u32>)> {
    let container = container(path)?;
    assert_eq!(container.id, ID, "{path}");
    Some((container.runtime, container.pod, container.rootless))
}

#[test]
fn a_container_is_read_as_each_runtime_writes_it() {
    let pod = || Some(POD.to_owned());
    let under = POD.replace('-', "_");
    let user = "/user.slice/user-1000.slice/user@1000.service";
    for (path, expected) in [
        (format!("/system.slice/docker-{ID}.scope"), ("docker", None, None)),
        (format!("/docker/{ID}"), ("docker", None, None)),
        (format!("/machine.slice/libpod-{ID}.scope/container"), ("podman", None, None)),
        (format!("{user}/user.slice/libpod-{ID}.scope"), ("podman", None, Some(1000))),
        (format!("{user}/app.slice/docker-{ID}.scope"), ("docker", None, Some(1000))),
        (format!("/kubepods/burstable/pod{POD}/{ID}"), ("kubernetes", pod(), None)),
        (
            format!(
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{under}.slice/cri-containerd-{ID}.scope"
            ),
            ("containerd", pod(), None),
        ),
        (
            format!("/kubepods.slice/kubepods-pod{under}.slice/crio-{ID}.scope/container"),
            ("cri-o", pod(), None),
        ),
    ] {
        assert_eq!(found(&path), Some(expected), "{path}");
    }
}

#[test]
fn the_outermost_container_counts_and_a_made_up_path_is_marked() {
    assert_eq!(found(&format!("/docker/{ID}/docker/{INNER}")), Some(("docker", None, None)));
    let made_up = format!("/user.slice/user-1000.slice/user@1000.service/system.slice/docker-{ID}.scope");
    assert_eq!(found(&made_up), Some(("docker", None, Some(1000))));
    for none in [
        "/system.slice/docker-0123.scope".to_owned(),
        format!("/system.slice/docker-{}.scope", ID.to_uppercase()),
        format!("/system.slice/{ID}"),
        format!("/system.slice/web.service/docker-{ID}.scope"),
        format!("/pod-{POD}/{ID}"),
        "/system.slice/docker.service".to_owned(),
    ] {
        assert_eq!(container(&none), None, "{none}");
    }
}
