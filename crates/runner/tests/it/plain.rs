//! Programs that do what they are asked to.

use std::io::{Read, Write};
use std::net::TcpListener;

use net::Private;
use runner::{Error, Exit, Kind, Wanted};
use zeroize::Zeroizing;

use crate::stage::{all, boxes, executable, host, made, text, variable};

#[test]
fn a_program_gets_its_arguments_as_they_are() {
    let odd = ["", " ", "a b", "$(id)", "`id`", "; rm -rf /", "'\"", "\n", "--flag", "*", "ü", "\\"];
    for stage in all() {
        stage.script("echoing", "for arg in \"$@\"; do printf '<%s>' \"$arg\"; done");
        let ran = stage.run(&stage.room(), stage.command("echoing", &odd)).unwrap();
        assert_eq!(ran.exit, Exit::Status(0), "{}", text(&ran));
        let expected: String = odd.iter().map(|arg| format!("<{arg}>")).collect();
        assert_eq!(text(&ran), expected, "{:?}", stage.sandbox.kind());
        assert_eq!(ran.sandbox, stage.sandbox.kind());
    }
}

#[test]
fn a_programs_environment_is_a_short_list() {
    for stage in all() {
        let said = stage.said("env | cut -d= -f1 | sort | tr '\\n' ' '", |command| {
            command.environment.push(variable("KUBECONFIG", "/nowhere"));
        });
        let mut names: Vec<&str> = said.split_whitespace().collect();
        // What the shell sets by itself, and what leads to the relay.
        names.retain(|name| {
            !matches!(*name, "PWD" | "OLDPWD" | "SHLVL" | "_") && !name.to_lowercase().ends_with("_proxy")
        });
        let expected = ["HOME", "KUBECONFIG", "LANG", "LC_ALL", "NO_COLOR", "PATH", "TERM", "TMPDIR"];
        assert_eq!(names, expected, "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn files_of_the_room_and_standard_input_are_read_and_output_is_told_apart() {
    for stage in all() {
        let room = stage.room();
        let file = room.write("config", b"from a file").unwrap();
        stage.script(
            "reading",
            "cat \"$1\"; cat; echo beside >&2; echo kept > \"$HOME/x\" && cat \"$HOME/x\"; exit 3",
        );
        let mut command = stage.command("reading", &[&file.to_string_lossy()]);
        command.stdin = Some(Zeroizing::new(b", from stdin, ".to_vec()));
        let ran = stage.run(&room, command).unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout.bytes), "from a file, from stdin, kept\n");
        assert_eq!(String::from_utf8_lossy(&ran.stderr.bytes), "beside\n");
        assert_eq!(ran.exit, Exit::Status(3));
        room.wipe().unwrap();
        assert!(!file.exists());
    }
}

#[test]
fn a_host_of_the_operation_on_this_machine_is_reached_and_no_other() {
    for stage in boxes() {
        let (service, other) =
            (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (address, forbidden) = (service.local_addr().unwrap(), other.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = service.accept().unwrap();
            let mut head = [0; 4];
            stream.read_exact(&mut head).unwrap();
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhello\n").unwrap();
        });
        let script = format!(
            "curl -s --max-time 120 http://{address}/; curl -s --max-time 2 http://{forbidden}/ && echo reached; \
             curl -s --noproxy '*' --max-time 2 http://{forbidden}/ && echo reached; exit 0"
        );
        let said = stage.said(&script, |command| {
            command.hosts = vec![host(address)];
            command.private = Private::Allowed;
        });
        assert_eq!(said, "hello\n", "{:?}", stage.sandbox.kind());
        answering.join().unwrap();
        other.set_nonblocking(true).unwrap();
        assert!(other.accept().is_err());
    }
}

#[test]
fn a_host_that_the_operation_does_not_have_is_refused_by_the_relay_and_noted() {
    for stage in boxes() {
        stage.script("asking", "curl -s --max-time 120 https://evil.example/; exit 0");
        let ran = stage.run(&stage.room(), stage.command("asking", &[])).unwrap();
        assert_eq!(ran.refused, ["evil.example:443"], "{}", text(&ran));
    }
}

#[test]
fn what_is_no_program_is_said_so() {
    for stage in all() {
        stage.script("broken", "");
        executable(&stage.folder.path().join("bin/broken"), "#!/nowhere/interpreter\n");
        let error = stage.run(&stage.room(), stage.command("broken", &[])).unwrap_err();
        assert!(matches!(error, Error::Start { .. }), "{:?}: {error}", stage.sandbox.kind());
    }
}

#[test]
fn a_sandbox_that_does_not_work_is_an_error_and_no_sandbox_needs_a_word() {
    let setup = runner::Setup {
        wanted: Wanted::Bwrap,
        own: crate::stage::own(),
        bubblewrap: Some("/bin/false".into()),
        ..runner::Setup::default()
    };
    let stage = made(Wanted::None).unwrap();
    let error = runner::Sandbox::probe(setup.clone(), stage.rooms()).unwrap_err();
    assert!(error.to_string().starts_with("no sandbox works here: bwrap: "), "{error}");
    let nothing = runner::Setup { wanted: Wanted::Auto, own: "/bin/true".into(), ..setup };
    assert!(runner::Sandbox::probe(nothing, stage.rooms()).is_err());
    assert_eq!(made(Wanted::None).unwrap().sandbox.kind(), Kind::None);
}
