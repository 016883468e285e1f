//! The list itself.

use super::*;

#[test]
fn the_list_can_be_compiled_for_every_architecture_that_we_build_for() {
    for arch in [TargetArch::x86_64, TargetArch::aarch64] {
        let program = compiled(arch, false).unwrap();
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

#[test]
fn a_filter_goes_over_the_channel_as_it_is_and_one_that_is_cut_or_empty_restricts_nothing_and_says_so() {
    let bytes = filter(false).unwrap();
    let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
    let program = compiled(arch, false).unwrap();
    assert_eq!(bytes.len(), 8 * program.len());
    let (whole, _) = bytes.as_chunks::<8>();
    for (bytes, instruction) in whole.iter().zip(&program) {
        let sock_filter { code, jt, jf, k } = instruction;
        let expected = [&code.to_ne_bytes()[..], &[*jt, *jf], &k.to_ne_bytes()].concat();
        assert_eq!(bytes.as_slice(), expected);
    }
    let longer = [bytes.as_slice(); 4].concat();
    for wrong in [&[][..], &bytes[1..], &bytes[..bytes.len() - 3], &longer] {
        assert!(restrict(wrong).unwrap_err().contains("not whole"), "{}", wrong.len());
    }
}
