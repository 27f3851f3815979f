// Builds the browser's files into api/static/dist. Run twice, it writes the same bytes.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "api", "static", "dist");
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: { page: "src/page.js", diagram: "src/diagram.js", api: "src/api.js" },
  outdir: dist,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  legalComments: "none", // licences stand whole in licences.txt
  loader: { ".woff": "empty", ".woff2": "empty", ".svg": "empty", ".eot": "empty", ".ttf": "empty" },
  metafile: true,
  charset: "utf8",
});

copyFileSync(join(here, "node_modules/bootstrap/dist/css/bootstrap.min.css"), join(dist, "bootstrap.min.css"));
// The map is not shipped, so the browser is not sent looking for it.
const css = readFileSync(join(dist, "bootstrap.min.css"), "utf8").replace(/\/\*# sourceMappingURL=.*?\*\/\s*$/, "");
writeFileSync(join(dist, "bootstrap.min.css"), css);

const packages = new Set(["bootstrap"]);
for (const input of Object.keys(result.metafile.inputs)) {
  const match = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/);
  if (match) packages.add(match[1]);
}
const licences = [...packages].sort().map((name) => {
  const home = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  const file = readdirSync(home).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(home, file), "utf8").trim() : "(no licence file in the package)";
  return `${name} ${version} (${license})\n\n${text}\n`;
});
writeFileSync(join(dist, "licences.txt"), licences.join(`\n${"-".repeat(78)}\n\n`));

for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
  console.log(`${relative(dist, join(here, file))}  ${(bytes / 1024).toFixed(1)} kB`);
}
