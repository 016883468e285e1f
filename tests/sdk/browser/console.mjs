// Uses the console as a person would, in Debian's chromium, against the real binary; `crates/cli/tests/it/console.rs` starts both.
//
// Reads one JSON document from stdin: `{modules, base, link, tenant, key, out, chromium, openai: {good, bad}, file, secrets}`.

import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { problems } from "./paste.mjs";
import { Watch } from "./watch.mjs";

const given = JSON.parse(fs.readFileSync(0, "utf8"));
const require = createRequire(path.join(given.modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const watch = new Watch({ base: given.base, out: given.out, axe, secrets: given.secrets, login: given.login });
const at = (address) => `${given.base}/console${address}`;
/** How long anything may take, in milliseconds: a machine may be slow and do other things. */
const PATIENCE = 300_000;
let page;

function must(holds, text) {
  if (!holds) throw new Error(text);
}

async function go(address) {
  await page.goto(at(address));
  await page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector(".ghost"));
}

/** Puts a text into a field as a paste does. */
async function paste(field, text) {
  await field.evaluate((element, value) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text", value);
    element.focus();
    const open = element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    if (open) element.value = value;
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }, text);
}

/** Presses the button in the dialog that is open. */
async function press(name) {
  await page.locator("dialog[open]").getByRole("button", { name, exact: true }).click();
}

/** Waits until something holds in the page: what a press leads to may take a moment. */
async function becomes(holds, text) {
  await page.waitForFunction(holds).catch((error) => must(false, `${text}: ${error.message}`));
}

/** What a dialog shows once. It is gone from the page before anything else is done. */
async function shownOnce(begin, text) {
  const shown = await page.locator("output.once").textContent();
  must(shown.startsWith(begin), text);
  await press("I have stored it");
  await page.locator("output.once").waitFor({ state: "detached" });
  return shown;
}

async function signIn() {
  watch.expect(/\/v1\/session .*401/);
  // In a tab where the console is open already, and at once: it is good for two minutes.
  await page.goto(at("/"));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goto(given.link);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await becomes(() => !location.href.includes("#"), "the code is off the address");
  await page.goto(given.link);
  await page.getByText("was used already").waitFor();
  await becomes(() => !location.href.includes("#"), "the code is off the address of whoever is signed in");
  must(await page.getByRole("heading", { name: "Overview" }).isVisible(), "a link that is over signs nobody out");
  const again = await page.context().browser().newContext();
  again.setDefaultTimeout(PATIENCE);
  await watch.attach(again);
  const second = await again.newPage();
  await second.goto(given.link);
  await second.getByText("was used already").waitFor();
  await again.close();
  await page.goto(at("/"));
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await watch.look(page, "overview");
}

async function makeTenant() {
  await go("/tenants");
  await page.getByRole("button", { name: "New tenant" }).click();
  await becomes(() => document.activeElement.name === "name", "the first field has the focus");
  await page.getByLabel("Name").fill("No Such Name");
  await becomes(() => document.activeElement.getAttribute("aria-invalid") === "true", "a wrong name is marked while it is typed");
  await page.keyboard.press("Escape");
  await becomes(() => document.activeElement.textContent.includes("New tenant"), "the focus goes back to the button");
  await page.getByRole("button", { name: "New tenant" }).click();
  await page.getByLabel("Name").fill("console_inc");
  await press("Make the tenant");
  await page.getByRole("heading", { name: "console_inc", level: 1 }).waitFor();
  await go("/tenants");
  await page.keyboard.press("/");
  await page.keyboard.type("console");
  await page.waitForFunction(() => document.querySelectorAll("main table.table tbody tr").length === 1);
  await go("/tenants");
  await watch.look(page, "tenants");
}

async function setUp() {
  await go(`/tenants/${given.tenant}/openai`);
  await watch.look(page, "set-up");
  const field = page.getByLabel("API key", { exact: true });
  await paste(field, `  export OPENAI_API_KEY="${given.openai.good}"\n`);
  await page.getByText("Looks right").waitFor();
  must((await field.inputValue()) === given.openai.good, "what came with the key is taken off");
  must(await field.evaluate((element) => getComputedStyle(element).webkitTextSecurity === "disc"), "it is hidden");
  // As long as a name may be, without a place to break it.
  await page.getByLabel("Name (optional)").fill("productionkey".repeat(15));
  await page.getByRole("button", { name: "Connect OpenAI" }).click();
  await page.getByRole("heading", { name: "In use" }).waitFor();
  await page.getByText("Connected").first().waitFor();
  await watch.clean(page, "after a set-up");
  await paste(page.getByLabel("API key", { exact: true }), given.openai.bad);
  await page.getByRole("button", { name: "Replace the credential" }).click();
  await page.getByText("does not take it").waitFor();
  await page.getByText("stays in use").waitFor();
  await watch.look(page, "replacement-refused");
  await page.getByRole("button", { name: "Validate OpenAI" }).click();
  await page.getByText("takes the credential").waitFor();
}

async function dropFile() {
  await go(`/tenants/${given.tenant}/gcp`);
  const file = { type: "service_account", project_id: "acme-prod", private_key: given.file, client_email: "doorward@acme-prod.iam.gserviceaccount.com" };
  const input = page.locator("input[type=file]");
  await input.setInputFiles({ name: "user.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify({ ...file, type: "authorized_user" })) });
  await page.getByText("a service account's key has the type").waitFor();
  await input.setInputFiles({ name: "key.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) });
  await page.getByText("looks right").waitFor();
  await watch.look(page, "file");
  await page.getByLabel("Store it without asking").check();
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("heading", { name: "In use" }).waitFor();
  await go(`/tenants/${given.tenant}/aws`);
  await watch.look(page, "forms");
  await go(`/tenants/${given.tenant}`);
  await watch.look(page, "tenant");
}

async function makeKey() {
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Label").fill("from the console");
  await press("Make the key");
  const key = await shownOnce(`${given.tenant}_api_`, "the key is shown");
  watch.secrets["the key that was shown once"] = key;
  await page.getByText("from the console").waitFor();
  await watch.clean(page, "after a key was shown");
  await page.getByRole("button", { name: "Revoke from the console" }).click();
  const revoke = page.locator("dialog[open]").getByRole("button", { name: "Revoke the key" });
  must(await revoke.isDisabled(), "nothing is revoked before its name is typed");
  await page.getByLabel("to confirm").fill("from the console");
  await revoke.click();
  await page.getByText("The key is revoked.").waitFor();
}

async function secrets() {
  await go("/secrets");
  await page.getByRole("button", { name: "Store a secret" }).first().click();
  const stored = page.locator("dialog[open]");
  await becomes(() => document.activeElement.name === "name", "the first field has the focus");
  await stored.getByLabel("Name").fill("slack/token");
  const field = stored.getByLabel("Secret", { exact: true });
  must(await field.evaluate((element) => getComputedStyle(element).webkitTextSecurity === "disc"), "it is hidden");
  await field.fill(given.openai.bad);
  await watch.accessible(page, "a new secret");
  // By the keyboard, as from any form.
  await field.press("Enter");
  await page.getByText("Stored slack/token, version 1.").waitFor();
  await watch.clean(page, "after a secret was stored");
  await page.getByRole("button", { name: "Replace: slack/token" }).click();
  await page.locator("dialog[open]").getByLabel("Secret", { exact: true }).fill(given.openai.good);
  await page.locator("dialog[open]").getByLabel("The version before").selectOption("1h");
  await press("Replace it");
  await page.getByText("Stored slack/token, version 2.").waitFor();
  await page.getByRole("button", { name: "Details: slack/token" }).click();
  await page.locator("dialog[open]").getByText("store:slack/token").waitFor();
  await page.locator("dialog[open]").getByText("as token").waitFor();
  await page.locator("dialog[open]").getByText(/^Version/).nth(1).waitFor();
  await page.keyboard.press("Escape");
  await watch.look(page, "secrets");
  await page.getByRole("button", { name: "Forget: slack/token" }).click();
  await page.getByLabel("to confirm").fill("slack/token");
  await press("Forget it");
  await page.getByText("The secret is forgotten.").waitFor();
  await watch.clean(page, "after a secret was forgotten");
}

async function catalogue() {
  await go("/catalogue");
  await page.keyboard.press("/");
  await page.keyboard.type("slack");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => {
    const rows = [...document.querySelectorAll("main table.table tbody tr")];
    return rows.length > 0 && rows.length < 10 && rows.every((row) => /slack/i.test(row.textContent));
  });
  await watch.look(page, "catalogue");
  await page.getByRole("link", { name: "Slack", exact: true }).click();
  await page.getByRole("heading", { name: "Slack", level: 1 }).waitFor();
  await page.getByText("chat.post", { exact: true }).waitFor();
  const outside = page.locator('main a[target="_blank"]').first();
  must((await outside.getAttribute("rel")) === "noreferrer noopener", "another's page learns nothing of this one");
  await watch.look(page, "integration");
}

async function webhooks() {
  await go("/webhooks");
  await page.getByRole("button", { name: "New webhook" }).click();
  await page.getByLabel("Receiver").fill("https://localhost:9/in");
  await page.getByLabel("Label").fill("on call");
  await page.getByLabel("credential.failed").check();
  await watch.look(page, "webhook-new");
  await press("Make it");
  const key = await shownOnce("whsec_", "the signing key is shown");
  watch.secrets["a signing key that was shown once"] = key;
  await watch.clean(page, "after a signing key was shown");
  await page.getByRole("button", { name: "Test: https://localhost:9/in" }).click();
  await page.getByText("did not take the test").waitFor();
  await page.getByRole("button", { name: "Deliveries: https://localhost:9/in" }).click();
  await page.locator("dialog[open]").getByText("Given up").waitFor();
  await watch.look(page, "deliveries");
  await page.keyboard.press("Escape");
  await watch.look(page, "webhooks");
  await page.getByRole("button", { name: "Forget: https://localhost:9/in" }).click();
  await page.getByLabel("to confirm").fill("localhost:9");
  await press("Forget it");
  await page.getByText("The webhook is forgotten.").waitFor();
}

async function capabilities() {
  await go("/capabilities");
  await page.getByRole("button", { name: "New capability" }).click();
  await page.getByLabel("Holder").last().fill("ada");
  await page.locator("dialog[open]").getByLabel("Integrations").fill("house");
  await watch.look(page, "capability-new");
  await press("Make it");
  const token = await shownOnce("cap1_", "the token is shown");
  watch.secrets["a token that was shown once"] = token;
  await page.getByRole("button", { name: "Narrow a token" }).click();
  await page.getByRole("textbox", { name: "Token" }).fill(token);
  await page.locator("dialog[open]").getByLabel("Access").selectOption("read");
  await press("Make the narrower one");
  const narrower = await shownOnce("cap1_", "the narrower one is shown");
  must(narrower !== token, "it is another one");
  await page.getByRole("button", { name: "Check a token" }).click();
  await page.getByRole("textbox", { name: "Token" }).fill(narrower);
  await press("Check it");
  await page.locator("dialog[open]").getByText("Active").waitFor();
  await page.keyboard.press("Escape");
  await watch.look(page, "capabilities");
  await page.getByRole("button", { name: /^Revoke what ada holds/ }).first().click();
  await page.getByLabel("to confirm").fill("ada");
  await press("Revoke it");
  await page.getByText("The capability is revoked.").waitFor();
}

async function policies() {
  watch.expect(/\/v1\/policies\/team .*404/);
  await go("/policies");
  await page.getByRole("button", { name: "New policy" }).click();
  await page.getByLabel("Name").fill("team");
  await press("Write it");
  const editor = page.getByRole("textbox", { name: "Text of the policy team" });
  const text = '@id("operators-look")\npermit (principal in Doorward::Role::"operator", action in Doorward::Action::"read", resource);\n';
  await editor.fill(`${text}\npermti (principal, action, resource);\n`);
  await page.getByRole("button", { name: "Line 4" }).waitFor();
  await watch.look(page, "policy-wrong");
  await page.getByRole("button", { name: "Line 4" }).click();
  must(await editor.evaluate((element) => element.value.slice(element.selectionStart).startsWith("permti")), "the finding leads to its line");
  await editor.fill(text);
  await page.getByText("Compiles").waitFor();
  const leaving = page.locator("dialog[open]").getByRole("heading", { name: "Leave without writing" });
  for (const away of [() => page.getByRole("link", { name: "Secrets", exact: true }).click(), () => page.evaluate(() => history.back())]) {
    await away();
    await leaving.waitFor();
    await press("Cancel");
    must((await editor.inputValue()) === text && page.url() === at("/policies/team"), "what was typed stays where it was");
  }
  await page.getByRole("button", { name: "Write the policy" }).click();
  await page.getByText("holds now").waitFor();
  await go("/policies");
  await page.getByLabel("Who", { exact: true }).fill("ada");
  await page.getByLabel("Operation").fill("house/look");
  await page.getByLabel("Roles (optional)").fill("operator");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByText("Allowed", { exact: true }).waitFor();
  await watch.look(page, "policies");
}

async function approve() {
  await go("/approvals");
  await watch.look(page, "approvals");
  await page.getByRole("link", { name: "house/change" }).click();
  await page.getByRole("heading", { name: "house/change" }).waitFor();
  await page.getByText("Digest").waitFor();
  await watch.look(page, "approval");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByLabel("Reason").fill("ticket 7");
  await press("Approve");
  await page.getByText("“ticket 7”").waitFor();
}

async function evidence() {
  await go("/evidence");
  await page.getByRole("button", { name: "Verify now" }).click();
  await page.getByText("Verified", { exact: true }).waitFor();
  await page.getByLabel("Search").fill("approval.decide");
  await page.getByRole("button", { name: "Find" }).click();
  await page.waitForFunction(() => [...document.querySelectorAll("main table.table tbody tr")].every((row) => row.textContent.includes("approval.decide")));
  await go("/evidence");
  await watch.look(page, "evidence");
  // One that a signed checkpoint covers by now: the oldest in view.
  await page.locator("main table.table tbody tr a").last().click();
  await page.getByText("Proven", { exact: true }).waitFor();
  await watch.look(page, "record");
}

/** What was done with a tenant's key, or at its providers, stands in a chain of its own. */
async function tenantEvidence() {
  await go(`/tenants/${given.tenant}`);
  await page.locator("main").getByRole("link", { name: "Evidence", exact: true }).click();
  await page.getByText(`The chain of ${given.tenant}`).waitFor();
  await page.getByRole("button", { name: "Verify now" }).click();
  await page.getByText("Verified", { exact: true }).waitFor();
  await watch.look(page, "evidence-of-a-tenant");
  await page.locator("main table.table tbody tr a").last().click();
  await page.getByText("Proven", { exact: true }).waitFor();
  await page.getByText(`doorward evidence export --tenant ${given.tenant} --out`).first().waitFor();
}

async function leave() {
  await go("/settings");
  await watch.look(page, "settings");
  await page.getByText("Dark", { exact: true }).click();
  await becomes(() => document.documentElement.dataset.theme === "dark", "the theme is switched");
  await page.reload();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await becomes(() => document.documentElement.dataset.theme === "dark", "and stays");
  await page.setViewportSize({ width: 360, height: 740 });
  await page.getByRole("button", { name: "Open the navigation" }).click();
  await page.screenshot({ path: path.join(given.out, "drawer-360-dark.png") });
  await watch.accessible(page, "the drawer");
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 1440, height: 900 });
  // What the page asks by itself each minute may meet the end of the session.
  watch.expect(/\/v1\/.*401/);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  must(!(await page.context().cookies()).some(({ name }) => name === "doorward_session"), "the cookie of the session is gone");
  await page.goto(at("/tenants"));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await watch.look(page, "sign-in");
  await byKey();
}

/** A key of a tenant sees that tenant and nothing else. */
async function byKey() {
  await page.getByLabel("API key of a tenant").fill(given.key);
  await page.getByRole("button", { name: "Sign in with the key" }).click();
  await page.getByRole("heading", { name: given.tenant }).waitFor();
  must((await page.getByRole("link", { name: "Policies" }).count()) === 0, "there is nothing of the house");
  await watch.look(page, "by-key");
  await page.context().clearCookies({ name: "doorward_session" });
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByText("Your session is over").waitFor();
  await page.getByLabel("API key of a tenant").fill("acme_inc_api_nothing");
  await page.getByRole("button", { name: "Sign in with the key" }).click();
  await page.getByText("This key opens nothing").waitFor();
  must((await page.getByLabel("API key of a tenant").inputValue()) === "", "a wrong key is not left in its field");
  await page.getByLabel("API key of a tenant").fill(given.key);
  await page.getByRole("button", { name: "Sign in with the key" }).click();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await page.getByRole("link", { name: "Integrations" }).click();
  await page.getByRole("link", { name: "Open OpenAI" }).click();
  await page.getByRole("heading", { name: "OpenAI" }).waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByLabel("to confirm").fill("OPENAI");
  await press("Delete it");
  await page.getByText("credential is deleted").waitFor();
}

/** At the identity provider, which says yes at once. */
async function byButton() {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in with Example" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByText("auditor").first().waitFor();
  await page.waitForURL(at("/"));
  await watch.look(page, "overview-of-an-auditor");
}

const STEPS = [signIn, makeTenant, setUp, dropFile, makeKey, secrets, catalogue, webhooks, capabilities, policies, approve, evidence, tenantEvidence, leave, byButton];

problems().forEach((problem) => watch.find(problem));
const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox"], timeout: PATIENCE });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", reducedMotion: "reduce" });
context.setDefaultTimeout(PATIENCE);
await watch.attach(context);
page = await context.newPage();
for (const step of STEPS) {
  try {
    await step();
  } catch (error) {
    watch.find(`${step.name}: ${error.message}`);
    await page.screenshot({ path: path.join(given.out, `failed-${step.name}.png`), fullPage: true }).catch(() => {});
  }
}
await page.goto(at("/"));
const paint = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
const painted = Math.round(await paint.jsonValue());
await browser.close();
watch.report({ painted });
