//! The text of counters is read whole.

use super::*;

#[test]
fn families_have_their_samples_and_labels() {
    let text = "# HELP a_total Calls.\n# TYPE a_total counter\na_total{x=\"1\",y=\"q\\\"\\\\\"} 2\na_total 3\n# TYPE b gauge\nb 0.5\n";
    let read = families(text);
    assert_eq!(read["families"][0]["help"], "Calls.");
    assert_eq!(read["families"][0]["kind"], "counter");
    assert_eq!(
        read["families"][0]["samples"][0],
        json!({"name": "a_total", "labels": {"x": "1", "y": "q\"\\"}, "value": 2.0})
    );
    assert_eq!(read["families"][0]["samples"][1]["value"], 3.0);
    assert_eq!(
        read["families"][1],
        json!({"name": "b", "kind": "gauge", "help": "", "samples": [{"name": "b", "labels": {}, "value": 0.5}]})
    );
}
