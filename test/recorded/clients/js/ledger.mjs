// Tells the recorder what really happens, as it happens.
import { readFileSync } from "node:fs";
import { request } from "node:http";

export const FAKE = process.env.FAKE;
export const QUESTION = "A que pressão a válvula abre?";
export const ANSWER = "A válvula abre a 6 bar.";

export function note(what, fields = {}) {
  const body = JSON.stringify({ what, ...fields });
  return new Promise((resolve, reject) => {
    const sent = request(`${FAKE}/truth`, { method: "POST", agent: false }, (answer) => {
      answer.resume();
      answer.on("end", () => (answer.statusCode === 200 ? resolve() : reject(new Error(`the ledger answers ${answer.statusCode}`))));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

// One question of a user; fails says what its asker sees.
export async function chat(ask, fails = false) {
  await note("chat.start");
  let failure;
  try {
    await ask();
  } catch (e) {
    failure = e;
  }
  if (Boolean(failure) !== fails || failure instanceof TypeError || failure instanceof ReferenceError) {
    throw failure ?? new Error("the question should have failed");
  }
  await note("chat.end", { outcome: fails ? "failure" : "success" });
}

export const script = (...replies) => note("script", { replies });

// A store was searched and gave so many documents; scored if it gave the scores too.
export function searched(scores, { scored = true, ...fields } = {}) {
  const similarity = scores.length > 0 && scored
    ? { mean: scores.reduce((a, b) => a + b, 0) / scores.length, top: Math.max(...scores) }
    : {};
  return note("search", {
    outcome: "success", documents: scores.length, result: scores.length > 0 ? "found" : "empty", ...similarity, ...fields,
  });
}

export function versions(...packages) {
  const of = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
  return note("versions", { versions: Object.fromEntries(packages.map((name) => [name, of(name)])) });
}
