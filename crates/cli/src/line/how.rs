//! How a capability is used, from what was typed.

use std::path::Path;

use super::wanted::Use;
use crate::args::vault::How;
use crate::failure::{Failure, Outcome};
use crate::typed;

/// Reads it. `request` is the method and the path, where a request was typed.
pub(crate) fn read(how: How, request: &[String]) -> Outcome<Use> {
    let How { integration, data, headers, tool, inputs, reveal, append, fields, resource } = how;
    match (request, integration, tool, append, reveal) {
        ([method, path], Some(integration), None, None, false) => {
            if !path.starts_with('/') {
                return Err(Failure::usage("the path starts with `/`"));
            }
            let data = data.map(|data| match data.strip_prefix('@') {
                None => Ok(data.into_bytes()),
                Some(file) => typed::bytes(Path::new(file)),
            });
            let method = method.to_ascii_uppercase();
            Ok(Use::Request { integration, method, path: path.clone(), headers, data: data.transpose()? })
        }
        ([], None, Some(name), None, false) => Ok(Use::Tool { name, inputs }),
        ([], None, None, Some(message), false) => Ok(Use::Log { message, fields, resource }),
        ([], None, None, None, true) => Ok(Use::Reveal { resource }),
        _ => Err(Failure::usage("it is not clear how the capability is to be used").hint(
            "`--integration NAME METHOD PATH`, `--tool NAME --input name=value`, `--append TEXT`, or `--reveal`",
        )),
    }
}
