// Builds both forms: modules in dist/esm, CommonJS in dist/cjs.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
rmSync(join(here, "dist"), { recursive: true, force: true });
for (const [form, module, resolution] of [["esm", "node16", "node16"], ["cjs", "commonjs", "node10"]]) {
  const out = join(here, "dist", form);
  const options = ["--outDir", out, "--module", module, "--moduleResolution", resolution];
  execFileSync(process.execPath, [tsc, "-p", here, ...options], { stdio: "inherit" });
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "package.json"), `{"type": "${form === "esm" ? "module" : "commonjs"}"}\n`);
}
