//! Tests of the module `shares`.

use super::*;

fn taken(shares: &Arc<Shares>, uid: u32, total: usize) -> Vec<Share> {
    std::iter::from_fn(|| shares.take(uid, total)).collect()
}

#[test]
fn one_user_has_half_and_all_together_leave_a_quarter() {
    let shares = Arc::new(Shares::default());
    let one = taken(&shares, 1, 100);
    assert_eq!(one.len(), 50);
    let two = taken(&shares, 2, 100);
    assert_eq!((two.len(), taken(&shares, 3, 100).len()), (25, 0));
    drop(one);
    assert_eq!(taken(&shares, 3, 100).len(), 50);
    drop(two);
    let counts = shares.counts();
    assert_eq!((counts.all, counts.of.len()), (0, 0));
}

#[test]
fn of_few_there_is_one_for_everybody() {
    for (total, most) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
        assert_eq!(taken(&Arc::new(Shares::default()), 1, total).len(), most, "{total}");
    }
}
