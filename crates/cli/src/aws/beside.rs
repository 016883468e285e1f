//! A broker that runs over the home already: it is asked, over its socket.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;

use broker::Outbound;
use broker::mint::Wish;
use broker::mint::afar::{self, Answers};
use model::Inputs;

use crate::failure::{Failure, Outcome};
use crate::home::Home;
use crate::management;

/// A connection to the broker that has the home open, where one answers.
pub(super) fn find(home: &Home) -> Outcome<Option<Beside>> {
    match net::plain::switched(&home.socket(), WISH, afar::PROTOCOL) {
        Ok(Ok(stream)) => Ok(Some(Beside(stream))),
        Ok(Err(reply)) => Err(match management::understood(&reply) {
            Err(failure) => failure,
            Ok(_) => Failure::new("the running broker answers something else").hint(VERSIONS),
        }),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
        Err(error) => Err(Failure::doing("could not talk to the running broker", &error).hint(VERSIONS)),
    }
}

/// A connection on which the broker waits for a wish.
pub(super) struct Beside(UnixStream);

impl Beside {
    /// Performs one operation of the integration that mints. Keyrings are opened and people asked here.
    pub(super) fn call(mut self, asked: (&str, &str), inputs: Inputs, wish: &Wish) -> Outcome<Outbound> {
        super::speech::log(|| "asking the running broker".to_owned());
        Ok(afar::ask(&mut self.0, asked, inputs, wish)?)
    }

    /// Records answers of a server. Called within the runtime of the server.
    pub(super) fn answers(self) -> Outcome<Answers> {
        let wrong = |error: std::io::Error| Failure::doing("could not talk to the running broker", &error);
        self.0.set_nonblocking(true).map_err(wrong)?;
        Ok(Answers::over(tokio::net::UnixStream::from_std(self.0).map_err(wrong)?))
    }
}

const WISH: &str = "/v1/wish";
const VERSIONS: &str = "is the running broker of another version? `doorward status`";
