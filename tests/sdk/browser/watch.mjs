// What is watched while a person would use the console: errors, broken rules of the page, requests elsewhere, secrets in the page,
// what axe finds. Each finding is one line; a run is good when there is none.

import fs from "node:fs";
import path from "node:path";

export class Watch {
  constructor({ base, out, axe, secrets, login }) {
    Object.assign(this, { base, out, axe, secrets, login, findings: [], shots: 0, expected: [] });
  }

  find(text) {
    this.findings.push(text);
    process.stderr.write(`${text}\n`);
  }

  /** Refusals that a step asks for: their network errors are none of the page's. */
  expect(pattern) {
    this.expected.push(pattern);
  }

  async attach(context) {
    await context.addInitScript(() => {
      globalThis.brokenRules = [];
      document.addEventListener("securitypolicyviolation", (event) => {
        globalThis.brokenRules.push(`${event.violatedDirective}: ${event.blockedURI || event.sample}`);
      });
    });
    context.on("page", (page) => this.listen(page));
  }

  listen(page) {
    page.on("pageerror", (error) => this.find(`error in the page: ${error.message}`));
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const from = message.location().url;
      const refusal = message.text().startsWith("Failed to load resource") && from.startsWith(`${this.base}/v1/`);
      if (refusal && this.expected.some((pattern) => pattern.test(`${from} ${message.text()}`))) return;
      this.find(`on the console of the browser: ${message.text()} (${from})`);
    });
    page.on("request", (request) => {
      // A person may be sent to the identity provider, and nothing else of a page may ask there.
      if (request.isNavigationRequest() && request.url().startsWith(`${this.login}/authorize?`)) return;
      if (![`${this.base}/`, `blob:${this.base}/`, "data:"].some((own) => request.url().startsWith(own))) this.find(`a request elsewhere: ${request.url()}`);
    });
  }

  /** No secret in what the page shows, holds in its fields, or has in its address or storage. */
  async clean(page, where) {
    const held = await page.evaluate(() => {
      const fields = [...document.querySelectorAll("input, textarea")].map((field) => field.value);
      const kept = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, location.href, JSON.stringify(history.state)];
      return [document.documentElement.outerHTML, ...fields, ...kept].join("\n");
    });
    for (const [name, secret] of Object.entries(this.secrets)) {
      if (held.includes(secret)) this.find(`${where}: the page holds ${name}`);
    }
    for (const rule of await page.evaluate(() => globalThis.brokenRules.splice(0))) this.find(`${where}: against the page's policy: ${rule}`);
  }

  /** Looks at a page in both themes and both widths; its pictures are kept. */
  async look(page, name) {
    await page.waitForFunction(() => document.querySelector("h1") && !document.querySelector(".ghost"));
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      for (const [width, height] of [[1440, 900], [360, 740]]) {
        await page.setViewportSize({ width, height });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (over > 0) this.find(`${name} at ${width}: ${over} pixels wider than the window`);
        await page.screenshot({ path: path.join(this.out, `${name}-${width}-${theme}.png`), fullPage: true });
        this.shots += 1;
      }
      await this.accessible(page, `${name}, ${theme}`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
    await this.clean(page, name);
  }

  async accessible(page, where) {
    await page.evaluate(this.axe);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, nodes } of found.violations) {
      for (const node of nodes.slice(0, 3)) this.find(`${where}: axe ${id}: ${node.html.slice(0, 160)}`);
    }
  }

  report(figures) {
    fs.writeFileSync(path.join(this.out, "report.json"), JSON.stringify({ findings: this.findings, ...figures }, null, 2));
    process.stdout.write(`${JSON.stringify({ findings: this.findings, shots: this.shots, ...figures })}\n`);
    process.exitCode = this.findings.length ? 1 : 0;
  }
}
