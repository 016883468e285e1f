//! Lines of `/proc`.

use super::*;

#[test]
fn cpu_time_is_read_behind_the_name_whatever_the_name_is() {
    let stat = "42 (a ) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 7 7 20 0 1 0 100 0 0\n";
    assert_eq!(ticks_in(stat), 300);
    assert_eq!(ticks_in(""), 0);
}

#[test]
fn memory_and_the_busy_time_of_the_machine_are_read() {
    assert_eq!(resident_in("Name:\tnginx\nVmRSS:\t    5120 kB\n"), 5120);
    assert_eq!(resident_in("Name:\tnginx\n"), 0);
    assert_eq!(busy_in("cpu  10 1 5 1000 100 2 3 4 0 0\ncpu0 1 1 1 1\n"), 25);
}

#[test]
fn this_process_is_in_its_own_tree() {
    assert_eq!(tree(std::process::id()).first(), Some(&std::process::id()));
}
