//! Tests of the module `tree`.

use crypto::from_hex;

use super::*;

/// The leaves of the reference implementation's tests of RFC 6962.
fn leaves() -> Vec<Vec<u8>> {
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        .into_iter()
        .map(|text| from_hex(text).unwrap())
        .collect()
}

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn root_of(leaves: &[Vec<u8>]) -> Digest {
    // The definition of RFC 6962, section 2.1, by recursion: independent of the compact range.
    match leaves {
        [] => sha256(&[]),
        [leaf] => leaf_hash(leaf),
        leaves => {
            let (left, right) = leaves.split_at(usize::try_from(split(leaves.len() as u64)).unwrap());
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

#[test]
fn roots_are_those_of_the_reference_implementation() {
    let mut tree = Compact::default();
    let empty = from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").unwrap();
    assert_eq!(tree.root().to_vec(), empty);
    for (leaf, root) in leaves().iter().zip(ROOTS) {
        tree.append(leaf_hash(leaf));
        assert_eq!(tree.root().to_vec(), from_hex(root).unwrap());
        assert_eq!(Compact::of(tree.size(), tree.nodes().to_vec()), Some(tree.clone()));
    }
    assert_eq!(Compact::of(3, tree.nodes().to_vec()), None);
}

#[test]
fn proofs_are_those_of_the_reference_implementation() {
    let prove = |mut prover: Prover| {
        for (index, leaf) in leaves().iter().enumerate() {
            prover.pass(index as u64, leaf_hash(leaf));
        }
        prover.finish().unwrap().iter().map(|node| crypto::to_hex(node)).collect::<Vec<_>>()
    };
    assert_eq!(
        prove(Prover::inclusion(5, 8).unwrap()),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        prove(Prover::consistency(6, 8).unwrap()),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert!(prove(Prover::consistency(8, 8).unwrap()).is_empty());
}

#[test]
fn every_proof_fits_its_place_and_no_other() {
    let leaves: Vec<Vec<u8>> = (0_u8..33).map(|n| vec![n]).collect();
    let roots: Vec<Digest> = (0..=leaves.len()).map(|n| root_of(&leaves[..n])).collect();
    for size in 1..=leaves.len() {
        for index in 0..size {
            let mut prover = Prover::inclusion(index as u64, size as u64).unwrap();
            let mut growth = Prover::consistency(index as u64 + 1, size as u64).unwrap();
            for (at, leaf) in leaves[..size].iter().enumerate() {
                prover.pass(at as u64, leaf_hash(leaf));
                growth.pass(at as u64, leaf_hash(leaf));
            }
            let (path, growth) = (prover.finish().unwrap(), growth.finish().unwrap());
            let leaf = leaf_hash(&leaves[index]);
            for place in 0..size {
                let fits = verify_inclusion(leaf, (place as u64, size as u64), &path, &roots[size]).is_some();
                assert_eq!(fits, place == index);
            }
            let new = (size as u64, &roots[size]);
            for (old, root) in roots.iter().enumerate().take(size + 1).skip(1) {
                let fits = verify_consistency((old as u64, root), new, &growth).is_some();
                assert_eq!(fits, old == index + 1, "{old} of {size} with the proof of {}", index + 1);
            }
            if !path.is_empty() {
                assert!(
                    verify_inclusion(leaf, (index as u64, size as u64), &path[1..], &roots[size]).is_none()
                );
            }
        }
    }
    assert!(Prover::inclusion(3, 3).is_none() && Prover::consistency(0, 3).is_none());
    assert!(Prover::inclusion(0, 2).unwrap().finish().is_none());
}
