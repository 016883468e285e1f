//! Programs that mean no good.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::time::{Duration, Instant};

use runner::{Exit, Kind, Limits};

use crate::stage::{Stage, all, boxes, text};

/// Whether a process of the script with this word among its arguments is left.
fn is_left(word: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        fs::read(entry.path().join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
    })
}

/// Whether no process with this word is left, be it a moment later: the kernel ends them one by one.
fn ends(word: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(120);
    while is_left(word) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    !is_left(word)
}

fn unique(stage: &Stage, word: &str) -> String {
    format!("{word}-{}-{}", stage.sandbox.kind().as_str(), std::process::id())
}

#[test]
fn a_program_that_ignores_signals_and_forks_away_is_ended_with_all_that_it_started() {
    for stage in boxes() {
        let word = unique(&stage, "forked");
        fs::copy("/bin/sleep", stage.folder.path().join("bin").join(&word)).unwrap();
        let away = format!(
            "trap '' TERM HUP INT; (setsid sleep 987654 {word} &) ; setsid sh -c 'trap \"\" TERM; sleep 987654; : {word}' & sleep 987654"
        );
        stage.script("forking", &away);
        let mut command = stage.command("forking", &[]);
        command.limits = Limits { time: Duration::from_millis(700), ..Limits::default() };
        let ran = stage.run(&stage.room(), command).unwrap();
        assert_eq!(ran.exit, Exit::TimedOut, "{}", text(&ran));
        assert!(ends(&word), "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn what_a_program_leaves_running_ends_with_it() {
    for stage in boxes() {
        let word = unique(&stage, "left");
        let said =
            stage.said(&format!("setsid sh -c 'sleep 987654; : {word}' >/dev/null 2>&1 & echo done"), |_| {});
        assert_eq!(said, "done\n");
        // The kernel ends what is left with the namespace, which bubblewrap does not wait for.
        assert!(ends(&word), "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn output_without_end_is_counted_and_not_kept() {
    for stage in all() {
        stage.script("loud", "head -c 50000000 /dev/zero; head -c 3000000 /dev/zero >&2");
        let mut command = stage.command("loud", &[]);
        command.limits = Limits { stdout: 1000, stderr: 10, ..command.limits };
        let ran = stage.run(&stage.room(), command).unwrap();
        assert_eq!((ran.stdout.bytes.len(), ran.stdout.total), (1000, 50_000_000));
        assert_eq!((ran.stderr.bytes.len(), ran.stderr.total), (10, 3_000_000));
        assert!(ran.stdout.is_cut());
        stage.script("louder", "while :; do echo y; done");
        let mut command = stage.command("louder", &[]);
        command.limits = Limits { stdout: 1000, time: Duration::from_millis(500), ..Limits::default() };
        assert_eq!(stage.run(&stage.room(), command).unwrap().exit, Exit::TimedOut);
    }
}

#[test]
fn a_disk_is_not_filled_and_no_place_but_its_own_is_written() {
    for stage in boxes() {
        let script = "for n in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/zero > \"$HOME/$n\" 2>/dev/null || echo full; done; \
             du -s -k \"$HOME\" | cut -f1; \
             for place in / /tmp /dev /dev/shm /usr /etc /settings /var/tmp /proc /run \"$(dirname \"$HOME\")/files\"; do \
               (echo x > \"$place/doorward-was-here\") 2>/dev/null && echo \"wrote to $place\"; done; exit 0";
        let said = stage.said(script, |command| command.limits.files = 3_000_000);
        assert!(said.contains("full"), "{said}");
        assert!(!said.contains("wrote to"), "{:?}: {said}", stage.sandbox.kind());
        let used: u64 = said.lines().filter_map(|line| line.parse().ok()).next().unwrap();
        assert!(used <= 3_000, "{said}");
        assert!(!Path::new("/dev/shm/doorward-was-here").exists());
    }
}

#[test]
fn memory_is_bounded() {
    for stage in all() {
        let said = stage.said("head -c 400000000 /dev/zero | tail -c 400000000 | wc -c", |command| {
            command.limits.memory = 64 << 20;
        });
        assert!(!said.contains("400000000"), "{:?}: {said}", stage.sandbox.kind());
    }
}

#[test]
fn settings_of_the_machine_are_read_and_not_written_and_no_others_are_there() {
    for stage in boxes() {
        let script = "for name in passwd hosts nsswitch.conf; do cat /etc/$name | cksum; done; \
             for name in passwd hosts; do \
               (echo x >> /etc/$name) 2>/dev/null && echo \"wrote to $name\"; rm -f /etc/$name 2>/dev/null && echo \"removed $name\"; done; exit 0";
        let said = stage.said(script, |_| {});
        let outside = std::process::Command::new("sh")
            .args(["-c", "cd /etc; for name in passwd hosts nsswitch.conf; do cat $name | cksum; done"])
            .output();
        assert_eq!(said, String::from_utf8(outside.unwrap().stdout).unwrap(), "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn bubblewrap_shows_five_devices_and_of_the_settings_only_the_list() {
    for stage in boxes().into_iter().filter(|stage| stage.sandbox.kind() == Kind::Bwrap) {
        let said = stage.said("ls -A /dev; echo; ls -A / /etc", |_| {});
        let (devices, rest) = said.split_once("\n\n").unwrap();
        let links = ["fd", "full", "null", "random", "stderr", "stdin", "stdout", "urandom", "zero"];
        // The folder of a run may be in the last one.
        assert_eq!(devices.lines().filter(|name| *name != "shm").collect::<Vec<_>>(), links);
        for name in ["shadow", "gshadow", "sudoers", "ssh", "machine-id", "fstab", "sys", "boot"] {
            assert!(!rest.lines().any(|line| line == name), "{name}: {rest}");
        }
        let script = "head -c 3 /dev/zero | od -An -tx1; echo x > /dev/null; echo x 2>/dev/null > /dev/full || echo full; \
             head -c 9 /dev/urandom | wc -c";
        assert_eq!(stage.said(script, |_| {}), " 00 00 00\nfull\n9\n");
    }
}

#[test]
fn nothing_that_the_broker_has_open_is_there() {
    let mine = tempfile::NamedTempFile::new().unwrap();
    mine.as_file().write_all(b"CANARY-left-open").unwrap();
    let folder = File::open(mine.path().parent().unwrap()).unwrap();
    let name = mine.path().file_name().unwrap().display();
    for stage in boxes() {
        // As a shell would leave them open in whatever it starts.
        let (file, folder) = (left_open(mine.as_file()), left_open(&folder));
        let (file, folder) = (file.as_raw_fd(), folder.as_raw_fd());
        let script = format!(
            "cat <&{file}; echo x >&{file}; for process in self 1; do cat /proc/$process/fd/{file}; ls /proc/$process/fd/{folder}/ | grep '^{name}$' && echo SEEN; done; exit 0"
        );
        let said = stage.said(&script, |_| {});
        assert!(!said.contains("CANARY") && !said.contains("SEEN"), "{:?}: {said}", stage.sandbox.kind());
        assert_eq!(fs::read_to_string(mine.path()).unwrap(), "CANARY-left-open");
    }
}

/// A copy of a descriptor that programs inherit, as long as nobody says otherwise.
fn left_open(file: &File) -> OwnedFd {
    let copy = OwnedFd::from(file.try_clone().unwrap());
    rustix::io::fcntl_setfd(&copy, rustix::io::FdFlags::empty()).unwrap();
    copy
}

#[test]
fn every_process_beside_the_program_is_restricted_as_it_is() {
    for stage in boxes() {
        let script = "for process in /proc/[0-9]*; do grep -H '^Seccomp:' $process/status; done 2>/dev/null | sed 's/.*Seccomp:\\s*//'; exit 0";
        let said = stage.said(script, |_| {});
        // Landlock's own view shows the processes of the machine, which the program is as good as blind to.
        if stage.sandbox.kind() == Kind::Bwrap {
            assert!(said.lines().count() >= 2, "{said}");
            assert!(said.lines().all(|mode| mode == "2"), "{said}");
        }
        let script = "for process in /proc/[0-9]*; do test $process = /proc/$$ && continue; \
             (exec 9<>$process/mem) 2>/dev/null && grep '^Seccomp:' $process/status; done | grep -v 2; exit 0";
        assert_eq!(stage.said(script, |_| {}), "", "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn the_kernel_s_settings_are_not_written_also_not_for_root() {
    for stage in boxes() {
        let script = "for name in kernel/core_pattern vm/swappiness kernel/randomize_va_space; do \
             old=$(cat /proc/sys/$name 2>/dev/null); (echo \"$old\" > /proc/sys/$name) 2>/dev/null && echo \"wrote $name\"; done; \
             for place in /proc/sysrq-trigger /proc/irq /proc/bus; do test -w $place && echo \"$place can be written\"; done; \
             cat /proc/keys 2>/dev/null; exit 0";
        assert_eq!(stage.said(script, |_| {}), "", "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn a_program_sends_nothing_to_sockets_of_the_machine() {
    let host = tempfile::tempdir().unwrap();
    let path = host.path().join("datagrams");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    for stage in boxes() {
        let script = format!(
            "perl -MSocket -e 'for my $kind (SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET) {{ \
             socketpair(my $a, my $b, AF_UNIX, $kind, 0) or (print(\"none \"), next); \
             print(defined(send($a, \"x\", 0, sockaddr_un(\"{}\"))) ? \"sent \" : \"refused \"); }}'",
            path.display()
        );
        let said = stage.said(&script, |_| {});
        assert!(said.starts_with("none "), "{:?}: {said}", stage.sandbox.kind());
        assert!(socket.recv(&mut [0; 9]).is_err(), "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn a_program_with_sockets_of_its_own_has_none_of_the_machine_s() {
    let host = tempfile::tempdir().unwrap();
    let path = host.path().join("listens");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    for stage in boxes() {
        let script = format!(
            "perl -MSocket -e 'socket(my $d, AF_UNIX, SOCK_DGRAM, 0) and print(\"datagrams \"); \
             socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; bind($s, sockaddr_un(\"$ENV{{HOME}}/own\")) and listen($s, 1) and print(\"own \"); \
             socket(my $c, AF_UNIX, SOCK_STREAM, 0); connect($c, sockaddr_un(\"{}\")) and print(\"machine \");'",
            path.display()
        );
        let mut command = stage.script("sockets", &script).command("sockets", &[]);
        command.sockets = true;
        let (room, shut_in) = (stage.room(), stage.sandbox.shuts_in_sockets());
        assert_eq!(shut_in, stage.sandbox.kind() == Kind::Bwrap);
        match stage.run(&room, command) {
            Ok(ran) => assert_eq!((shut_in, &*text(&ran)), (true, "own ")),
            Err(error) => assert!(!shut_in, "{error}"),
        }
        room.wipe().unwrap();
        assert!(listener.accept().is_err());
    }
}

#[test]
fn nothing_of_a_user_can_be_read() {
    for stage in boxes() {
        let secret = stage.folder.path().join("home-of-a-user");
        File::create(&secret).unwrap().write_all(b"CANARY-of-a-user").unwrap();
        let home = std::path::PathBuf::from("/")
            .join("home")
            .join(format!(".doorward-canary-{}", std::process::id()));
        // Where nobody may write, there is nothing to be read either.
        let _ = File::create(&home).map(|mut file| file.write_all(b"CANARY-of-a-home"));
        let script = format!(
            "cat {} {} /etc/shadow /proc/1/environ /proc/{}/environ /proc/{}/maps 2>/dev/null; \
             ls /root /home /var/lib /dev/shm /tmp /mnt 2>/dev/null; exit 0",
            secret.display(),
            home.display(),
            std::process::id(),
            std::process::id(),
        );
        let said = stage.said(&script, |_| {});
        let _ = fs::remove_file(&home);
        let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty() && !line.ends_with(':')).collect();
        // Its own environment is the only one that it finds, where processes are numbered anew; so is the way to its own folder.
        let ours = format!("doorward-{}", rustix::process::geteuid().as_raw());
        let own = |line: &&&str| line.contains("NO_PROXY=") || line.contains('\0') || **line == ours;
        assert_eq!(lines.iter().filter(|line| !own(line)).count(), 0, "{:?}: {said}", stage.sandbox.kind());
        assert!(!said.contains("CANARY"));
    }
}

#[test]
fn the_brokers_processes_are_neither_seen_nor_sent_a_signal() {
    for stage in boxes() {
        let mut sleeper = std::process::Command::new("sleep").arg("987655").spawn().unwrap();
        let script = format!(
            "kill -9 {pid} 2>/dev/null && echo killed; cat /proc/{pid}/cmdline 2>/dev/null | tr '\\0' ' '; \
             kill -9 -1 2>/dev/null; echo over",
            pid = sleeper.id()
        );
        let said = stage.said(&script, |_| {});
        assert_eq!(said, "over\n", "{:?}", stage.sandbox.kind());
        assert!(sleeper.try_wait().unwrap().is_none());
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}

/// Tries things with Python, which has the calls at hand; says what it could do.
fn python(stage: &Stage, lines: &str) -> String {
    let attempt = |line: &str| {
        format!("try:\n  {line}\n  print('could', {line:?})\nexcept (OSError, PermissionError) as e:\n  pass")
    };
    let text: String = lines.lines().map(|line| attempt(line.trim()) + "\n").collect();
    let text = format!(
        "import socket, os, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\ndef call(*a):\n  if libc.syscall(*a) < 0: raise OSError(ctypes.get_errno(), 'x')\n{text}\nprint('over')"
    );
    let room = stage.room();
    let file = room.write("attempts.py", text.as_bytes()).unwrap();
    let ran = stage.run(&room, stage.command("python3", &[&file.to_string_lossy()])).unwrap();
    self::text(&ran)
}

#[test]
fn the_network_is_not_reached_directly() {
    for stage in boxes() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent.sock");
        let _listener = UnixListener::bind(&socket).unwrap();
        let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let lines = format!(
            "socket.create_connection(('127.0.0.1', {port}), 2)\n\
             socket.create_connection(('1.1.1.1', 443), 2)\n\
             socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))\n\
             socket.socket(socket.AF_UNIX).connect({socket:?})\n\
             socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)\n\
             socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n\
             socket.getaddrinfo('example.com', 443)",
            port = service.local_addr().unwrap().port(),
        );
        assert_eq!(python(&stage, &lines), "over\n", "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn calls_that_lead_out_are_refused() {
    // The numbers of x86-64; elsewhere they mean something else.
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    for stage in boxes() {
        let lines = "call(101, 16, 1, 0, 0)\n\
             call(272, 0x10000000)\n\
             call(272, 0x20000)\n\
             call(165, b'none', b'/tmp', b'tmpfs', 0, 0)\n\
             call(425, 8, 0)\n\
             call(321, 0, 0, 0)\n\
             call(248, b'user', b'x', b'x', 1, -3)\n\
             call(0x40000000 + 41, 1, 1, 0)\n\
             call(56, 0x10000000 | 17, 0, 0, 0, 0)\n\
             call(308, 0, 0)\n\
             call(161, b'/')\n\
             os.setuid(0)";
        assert_eq!(python(&stage, lines), "over\n", "{:?}", stage.sandbox.kind());
    }
}

#[test]
fn a_bomb_of_processes_ends_with_its_time() {
    for stage in boxes() {
        let mut command = stage
            .script(
                "bomb",
                "bomb() { bomb | bomb & }; n=0; while [ $n -lt 200 ]; do sleep 60 & n=$((n+1)); done; wait",
            )
            .command("bomb", &[]);
        command.limits = Limits { time: Duration::from_millis(1500), processes: 64, ..Limits::default() };
        let ran = stage.run(&stage.room(), command).unwrap();
        assert!(matches!(ran.exit, Exit::TimedOut | Exit::Status(1..)), "{:?}", ran.exit);
    }
}

#[test]
fn a_run_that_nobody_waits_for_any_more_is_ended() {
    for stage in boxes() {
        let word = unique(&stage, "dropped");
        stage.script("staying", &format!("sh -c 'sleep 987656; : {word}' & sleep 987656; : {word}"));
        let (room, command) = (stage.room(), stage.command("staying", &[]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let run = stage.sandbox.run(&room, command);
            let began = async {
                while !is_left(&word) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::select! {
                _ = run => panic!("it ended"),
                () = began => {}
            }
        });
        assert!(ends(&word), "{:?}", stage.sandbox.kind());
        assert_ne!(stage.sandbox.kind(), Kind::None);
    }
}
