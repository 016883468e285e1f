//! The list itself.

use super::*;

#[test]
fn the_list_can_be_compiled_for_every_architecture_that_we_build_for() {
    for arch in [TargetArch::x86_64, TargetArch::aarch64] {
        let program = compiled(arch).unwrap();
        assert!((500..4096).contains(&program.len()), "{}", program.len());
    }
}

#[test]
fn calls_that_lead_out_of_a_sandbox_are_not_on_the_list() {
    for name in [
        "ptrace",
        "process_vm_readv",
        "mount",
        "umount2",
        "unshare",
        "setns",
        "clone3",
        "bpf",
        "io_uring_setup",
        "keyctl",
        "add_key",
        "request_key",
        "perf_event_open",
        "userfaultfd",
        "pidfd_getfd",
        "open_by_handle_at",
        "kexec_load",
        "init_module",
        "pivot_root",
        "chroot",
        "socket",
        "clone",
        "personality",
        "ioctl",
    ] {
        assert!(!ALLOWED.contains(&name) && !OLDER.contains(&name), "{name}");
    }
}
