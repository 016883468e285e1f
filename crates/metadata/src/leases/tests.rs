//! Which texts are the ARN of a role.

use super::*;

#[test]
fn the_arn_of_a_role_is_read_in_each_partition() {
    for arn in [
        "arn:aws:iam::111122223333:role/name",
        "arn:aws-cn:iam::111122223333:role/a/path/name",
        "arn:aws-us-gov:iam::111122223333:role/aws-service-role/x.amazonaws.com/a+b=c,d.e@f-g_h",
    ] {
        assert_eq!(arn.parse::<RoleArn>().unwrap().as_str(), arn);
    }
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        "role/name",
        "arn:aws:iam::111122223333:role",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/a/",
        "arn:aws:iam::11112222333:role/name",
        "arn:aws:iam::11112222333a:role/name",
        "arn:aws:sts::111122223333:assumed-role/name/x",
        "arn::iam::111122223333:role/name",
        "arn:aws:iam::111122223333:role/na\nme",
        "arn:aws:iam::111122223333:role/na:me",
        " arn:aws:iam::111122223333:role/name",
    ] {
        assert_eq!(text.parse::<RoleArn>().unwrap_err().code, Code::BadRequest, "{text}");
    }
}
