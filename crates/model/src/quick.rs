//! Maps for what the house looks up with every call.
//!
//! The standard library's maps hash with SipHash, which costs a call more than everything else that it does to find its
//! grant, its policies and its limits (docs/decisions/0020). These hash with foldhash, whose seed is made anew for each
//! process. It is weaker against somebody who chooses many keys and watches the clock, so it is for maps whose keys come from
//! us, or from somebody who has proven who they are; what strangers can add belongs into the maps of the standard library.

use std::collections::HashMap;

/// The hasher of these maps.
pub type QuickHash = foldhash::fast::RandomState;

/// A map whose keys no stranger chooses.
pub type QuickMap<K, V> = HashMap<K, V, QuickHash>;
