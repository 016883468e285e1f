//! One flight, keeping, pausing, room.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

struct Thing {
    number: usize,
    ends: Timestamp,
}

impl Ends for Thing {
    fn ends(&self) -> Timestamp {
        self.ends
    }
}

struct Still(AtomicU64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct House {
    clock: Arc<Still>,
    flights: Flights<Thing>,
    fetched: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl House {
    /// Fetches land at once.
    fn open() -> Self {
        let house = Self::closed();
        house.gate.add_permits(1_000_000);
        house
    }

    /// Fetches land one by one, as the test lets them.
    fn closed() -> Self {
        let clock = Arc::new(Still(AtomicU64::new(1_000_000_000)));
        let flights = Flights::new(Arc::clone(&clock) as Arc<dyn Clock>);
        Self { clock, flights, fetched: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    fn pass(&self, seconds: u64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    async fn ask(&self, key: &str, seconds: u64) -> Result<Arc<Thing>, Refusal> {
        self.ask_for(key, Ok(seconds)).await
    }

    async fn fail(&self, key: &str) -> Result<Arc<Thing>, Refusal> {
        self.ask_for(key, Err(Refusal::new(Code::UpstreamTimeout, "no"))).await
    }

    async fn ask_for(&self, key: &str, outcome: Result<u64, Refusal>) -> Result<Arc<Thing>, Refusal> {
        let (clock, fetched, gate) =
            (Arc::clone(&self.clock), Arc::clone(&self.fetched), Arc::clone(&self.gate));
        self.flights
            .current(key, || async move {
                let number = fetched.fetch_add(1, Ordering::SeqCst) + 1;
                gate.acquire().await.unwrap().forget();
                outcome.map(|seconds| Thing { number, ends: clock.now().after(Duration::from_secs(seconds)) })
            })
            .await
    }

    fn fetched(&self) -> usize {
        self.fetched.load(Ordering::SeqCst)
    }

    /// Lets every task run that can.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn two_hundred_who_ask_at_once_are_one_fetch() {
    let house = House::closed();
    let all = async {
        let mut asking: Vec<_> = (0..200).map(|_| Box::pin(house.ask("a", 3600))).collect();
        std::future::poll_fn(|cx| {
            asking.retain_mut(|ask| match ask.as_mut().poll(cx) {
                std::task::Poll::Ready(got) => {
                    assert_eq!(got.ok().unwrap().number, 1);
                    false
                }
                std::task::Poll::Pending => true,
            });
            if asking.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    };
    let land = async {
        house.settle().await;
        assert_eq!(house.fetched(), 1);
        house.gate.add_permits(1);
    };
    tokio::join!(all, land);
    assert_eq!(house.fetched(), 1);
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_cancel_the_fetch() {
    let house = House::closed();
    tokio::select! {
        biased;
        _ = house.ask("a", 3600) => panic!("nothing has landed yet"),
        () = house.settle() => {}
    }
    house.gate.add_permits(1);
    assert_eq!(house.ask("a", 3600).await.ok().unwrap().number, 1);
    assert_eq!(house.fetched(), 1);
}

#[tokio::test]
async fn it_is_kept_until_five_minutes_before_its_end() {
    let house = House::open();
    house.ask("a", 3600).await.ok().unwrap();
    house.pass(3299);
    assert_eq!(house.ask("a", 3600).await.ok().unwrap().number, 1);
    house.settle().await;
    assert_eq!(house.fetched(), 1);
    house.pass(1);
    assert_eq!(house.ask("a", 3600).await.ok().unwrap().number, 1, "the old one serves meanwhile");
    house.settle().await;
    assert_eq!(house.ask("a", 3600).await.ok().unwrap().number, 2);
    assert_eq!(house.fetched(), 2);
}

#[tokio::test]
async fn half_a_minute_before_the_end_the_new_one_is_waited_for() {
    let house = House::open();
    house.ask("a", 3600).await.ok().unwrap();
    house.pass(3570);
    assert_eq!(house.ask("a", 3600).await.ok().unwrap().number, 2);
}

#[tokio::test]
async fn a_short_life_is_used_for_its_first_half() {
    let house = House::open();
    house.ask("a", 240).await.ok().unwrap();
    house.pass(119);
    house.ask("a", 240).await.ok().unwrap();
    assert_eq!(house.fetched(), 1);
    house.pass(1);
    house.ask("a", 240).await.ok().unwrap();
    house.settle().await;
    assert_eq!(house.fetched(), 2);
}

#[tokio::test]
async fn after_failures_the_pause_doubles_up_to_a_minute() {
    let house = House::open();
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        let fetched = house.fetched();
        assert!(house.fail("a").await.is_err());
        assert_eq!(house.fetched(), fetched + 1);
        house.pass(pause - 1);
        let told = house.fail("a").await.err().unwrap();
        assert_eq!(told.retry, Retry::After(Duration::from_secs(1)));
        assert_eq!(house.fetched(), fetched + 1, "{pause}");
        house.pass(1);
    }
    house.ask("a", 3600).await.ok().unwrap();
    house.pass(3600);
    assert!(house.fail("a").await.is_err());
    house.pass(1);
    assert!(house.ask("a", 3600).await.is_ok(), "a success ends the row");
}

#[tokio::test]
async fn what_is_over_when_it_comes_is_a_failure() {
    let house = House::open();
    let refusal = house.ask("a", 0).await.err().unwrap();
    assert_eq!(refusal.code, Code::UpstreamReply);
    assert!(house.ask("a", 0).await.is_err());
    assert_eq!(house.fetched(), 1);
}

#[tokio::test]
async fn a_fetch_that_panics_is_a_refusal_and_the_next_one_tries_again() {
    let house = House::open();
    let broken = house.flights.current("a", || async { panic!("a bug in the wiring") }).await;
    assert_eq!(broken.err().unwrap().code, Code::SourceUnavailable);
    assert!(house.ask("a", 3600).await.is_ok());
}

#[tokio::test]
async fn forgetting_leads_to_a_fresh_one() {
    let house = House::open();
    house.ask("a", 3600).await.ok().unwrap();
    house.flights.forget();
    assert_eq!(house.ask("a", 3600).await.ok().unwrap().number, 2);
}

#[tokio::test]
async fn no_more_than_so_many_are_kept_and_those_that_are_over_make_room() {
    let house = House::open();
    for number in 0..MOST {
        house.ask(&number.to_string(), 3600).await.ok().unwrap();
    }
    assert_eq!(house.ask("one more", 3600).await.err().unwrap().code, Code::RateLimited);
    assert!(house.ask("0", 3600).await.is_ok());
    house.pass(3600);
    assert!(house.ask("one more", 3600).await.is_ok());
}

#[tokio::test]
async fn a_flight_ends_with_its_owner() {
    let house = House::closed();
    tokio::select! {
        biased;
        _ = house.ask("a", 3600) => panic!("nothing has landed yet"),
        () = house.settle() => {}
    }
    let House { flights, gate, .. } = house;
    drop(flights);
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(1);
    tokio::task::yield_now().await;
    assert_eq!(gate.available_permits(), 1, "nobody took it");
}
