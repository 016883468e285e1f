//! The hook that a coding agent asks before it writes a file.

use serde_json::{Value, json};

use crate::home;

fn asked(question: &str) -> String {
    home().run(&["guard"], question).succeeded()
}

#[expect(clippy::needless_pass_by_value, reason = "made for this call alone")]
fn about(tool: &str, input: Value) -> String {
    asked(&json!({"tool_name": tool, "tool_input": input}).to_string())
}

#[test]
fn each_pattern_is_denied_in_the_words_of_the_project() {
    let denied = [
        ("supabase.from(\"cloud_provider_integrations\")", "Don't use cloud_provider_integrations table."),
        (
            "db\n  .from<Row>(\n    'cloud_provider_integrations')",
            "Don't use cloud_provider_integrations table.",
        ),
        ("sql`select 1 from cloud_provider_integrations`", "Don't use cloud_provider_integrations table."),
        (
            "sql('DELETE FROM \"cloud_provider_integrations\"')",
            "Don't use cloud_provider_integrations table.",
        ),
        (
            "sql(\"delete from \\\"public\\\".\\\"cloud_provider_integrations\\\"\")",
            "Don't use cloud_provider_integrations table.",
        ),
        (
            "ALTER TABLE IF EXISTS public.cloud_provider_integrations DROP COLUMN x",
            "Don't use cloud_provider_integrations table.",
        ),
        (
            "const T = \"cloud_provider_integrations\"\ndb.from(T)",
            "Don't use cloud_provider_integrations table.",
        ),
        (
            "fetch(`${url}/rest/v1/cloud_provider_integrations?select=*`)",
            "Don't use cloud_provider_integrations table.",
        ),
        (
            "createServiceRoleClient<Database>().from(\"integration\")",
            "Don't use createServiceRoleClient for integrations.",
        ),
        ("const x = row.integration_aws_status", "Don't write integration status to Supabase."),
        ("INTEGRATION_OPENAI_CONFIGURED_AT", "Don't write integration status to Supabase."),
        (
            "createServiceRoleClient();\nc.from('integration_x')",
            "Don't use createServiceRoleClient for integrations.",
        ),
        ("async function saveIntegrationStatus(){}", "Don't create save*IntegrationStatus functions."),
        (
            "export const saveCloudIntegrationStatus = () => {}",
            "Don't create save*IntegrationStatus functions.",
        ),
    ];
    for (content, what) in denied {
        let said = about("Write", json!({"file_path": "actions/integrations.ts", "content": content}));
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {content}"));
        let said = &said["hookSpecificOutput"];
        assert_eq!(said["permissionDecision"], "deny");
        let reason = said["permissionDecisionReason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("❌ BLOCKED: {what}\n")), "{reason}");
        assert_eq!(reason.lines().count(), 2);
    }
    let edits = json!({"file_path": "integrations.ts", "edits": [{"new_string": "ok"}, {"new_string": "integration_gcp_status"}]});
    assert!(about("MultiEdit", edits).contains("deny"));
}

#[test]
fn a_function_is_defined_in_many_ways() {
    for content in [
        "let saveIntegrationStatus = async () => {}",
        "var saveIntegrationStatus = function () {}",
        "exports.saveIntegrationStatus = async (a) => {}",
        "class A { async saveIntegrationStatus(a: string): Promise<void> {} }",
        "const api = { saveAwsIntegrationStatus: async (x) => x }",
    ] {
        let said = about("Write", json!({"file_path": "actions/integrations.ts", "content": content}));
        assert!(said.contains("Don't create save*IntegrationStatus functions."), "{content}: {said}");
    }
}

#[test]
fn what_is_none_of_its_business_passes_without_a_word() {
    let bad = "integration_aws_status";
    assert_eq!(
        about("Write", json!({"file_path": "integrations.ts", "content": "await api.setup(key)"})),
        ""
    );
    for harmless in [
        "// the table cloud_provider_integrations_archive is another one: from cloud_provider_integrations_archive",
        "type Row = Database['public']['Tables']['cloud_provider_integrations']['Row']",
        "// cloud_provider_integrations is written by the API alone",
        "createServiceRoleClient<Database>().from('users')",
        "if (await saveIntegrationStatus(a)) { done() }",
        "// saveIntegrationStatus() is gone; import { saveIntegrationStatus } from './old'",
    ] {
        let said = about("Write", json!({"file_path": "integrations.ts", "content": harmless}));
        assert_eq!(said, "", "{harmless}");
    }
    assert_eq!(
        about(
            "Write",
            json!({"file_path": "docs/migration.sql", "content": "alter table cloud_provider_integrations"})
        ),
        ""
    );
    assert_eq!(about("Write", json!({"file_path": "other.ts", "content": bad})), "");
    assert_eq!(about("Bash", json!({"file_path": "integrations.ts", "content": bad})), "");
    for question in ["", "not json", "[]", "{\"tool_name\": 1}"] {
        assert_eq!(asked(question), "", "{question}");
    }
}

#[test]
fn it_is_entered_once_beside_what_is_there() {
    let doorward = home();
    let folder = doorward.folder().join("project/.claude");
    std::fs::create_dir_all(&folder).unwrap();
    crate::write(folder.join("settings.json"), r#"{"permissions": {"allow": ["Read"]}}"#);
    for changed in [true, false] {
        let said = doorward.run(&["guard", "install", "project", "--json"], "").json();
        assert_eq!((&said["changed"], &said["command_changed"]), (&changed.into(), &changed.into()));
    }
    let command = std::fs::read_to_string(folder.join("commands/integration-setup.md")).unwrap();
    assert!(command.contains("doorward integration setup genai ORG"), "{command}");
    crate::write(folder.join("commands/integration-setup.md"), "ours\n");
    let said = doorward.run(&["guard", "install", "project"], "").succeeded();
    assert!(said.contains("was left as it is"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.join("commands/integration-setup.md")).unwrap(), "ours\n");
    let read: Value = serde_json::from_slice(&std::fs::read(folder.join("settings.json")).unwrap()).unwrap();
    assert_eq!(read["permissions"]["allow"][0], "Read");
    assert_eq!(read["hooks"]["PreToolUse"].as_array().unwrap().len(), 1);
    let refused = doorward.run(&["guard", "install", "projcet"], "").failed_with(1);
    assert!(refused.contains("there is no project `projcet`"), "{refused}");
    assert!(!doorward.folder().join("projcet").exists());
    crate::write(folder.join("settings.json"), "{ broken");
    let refused = doorward.run(&["guard", "install", "project"], "").failed_with(1);
    assert!(refused.contains("settings.json"), "{refused}");
}
