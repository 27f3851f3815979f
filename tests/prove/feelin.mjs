// Evaluates FEEL with the interpreter of the browser: one JSON object {expression, context} a line, one answer a line.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const { evaluate } = require("@bpmn-io/feelin");

for await (const line of createInterface({ input: process.stdin })) {
  const { expression, context } = JSON.parse(line);
  let answer;
  try {
    const value = evaluate(expression, context).value;
    answer = { value: value === undefined || Number.isNaN(value) ? null : value };
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  console.log(JSON.stringify(answer));
}
process.exit(0);
