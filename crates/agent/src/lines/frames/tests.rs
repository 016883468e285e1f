//! Frames from pieces of any size.

use proptest::prelude::*;

use super::*;

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Every frame of these bytes, read in pieces of at most this size, and whether one was too large.
fn frames(bytes: &[u8], piece: usize, most: usize) -> (Vec<Vec<u8>>, bool) {
    now(async {
        let mut from = tokio_test_pieces(bytes, piece);
        let mut frames = Frames::new(most);
        let mut found = Vec::new();
        loop {
            match frames.next(&mut from).await {
                Ok(Some(frame)) => found.push(frame.to_vec()),
                Ok(None) => return (found, false),
                Err(NoFrame::TooLarge(told)) => {
                    assert_eq!(told, most);
                    return (found, true);
                }
                Err(NoFrame::Broken(error)) => panic!("{error}"),
            }
        }
    })
}

/// A reader that gives at most so many bytes at a time.
fn tokio_test_pieces(bytes: &[u8], piece: usize) -> impl AsyncRead + Unpin {
    struct Pieces(Vec<u8>, usize, usize);
    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            let end = (self.1 + self.2.min(buffer.remaining())).min(self.0.len());
            buffer.put_slice(&self.0[self.1..end]);
            self.1 = end;
            std::task::Poll::Ready(Ok(()))
        }
    }
    Pieces(bytes.to_vec(), 0, piece)
}

#[test]
fn lines_are_frames_and_blank_ones_are_none() {
    let (found, too_large) = frames(b"\n {}\n\r\n{\"a\":1}\n\n{\"b\":2}", 3, 100);
    assert_eq!(found, [b" {}".to_vec(), b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()]);
    assert!(!too_large);
}

#[test]
fn a_frame_has_a_most_with_and_without_its_line_end() {
    assert_eq!(frames(b"12345\n123456\n", 100, 5), (vec![b"12345".to_vec()], true));
    assert_eq!(frames(&[b'x'; 6], 1, 5), (vec![], true));
    assert_eq!(frames(&[b'x'; 5], 1, 5), (vec![vec![b'x'; 5]], false));
}

#[test]
fn a_buffer_that_grew_is_let_go_of() {
    now(async {
        let large = [vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
        let (mut to, mut from) = tokio::io::duplex(1 << 16);
        let writing = tokio::task::LocalSet::new();
        writing
            .run_until(async {
                tokio::task::spawn_local(async move {
                    tokio::io::AsyncWriteExt::write_all(&mut to, &large).await.unwrap();
                    tokio::io::AsyncWriteExt::write_all(&mut to, b"{}\n").await.unwrap();
                });
                let mut frames = Frames::new(1 << 20);
                assert_eq!(frames.next(&mut from).await.unwrap().unwrap().len(), 1 << 20);
                assert_eq!(frames.next(&mut from).await.unwrap().unwrap(), b"{}");
                assert!(frames.next(&mut from).await.unwrap().is_none());
                assert!(frames.buffer.capacity() <= KEPT, "{}", frames.buffer.capacity());
            })
            .await;
    });
}

proptest! {
    #[test]
    fn however_the_bytes_arrive_the_frames_are_the_same(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b' '), any::<u8>()], 0..200),
        piece in 1_usize..50,
    ) {
        let expected: Vec<Vec<u8>> = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        prop_assert_eq!(frames(&bytes, piece, 1000), (expected, false));
    }
}
