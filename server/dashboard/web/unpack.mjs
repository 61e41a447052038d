// Wants every packed file of a directory to hold its plain one.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { brotliDecompressSync } from "node:zlib";

const directory = process.argv[2];
const packed = (await readdir(directory)).filter((n) => n.endsWith(".br"));
if (packed.length === 0) throw new Error(`nothing is packed in ${directory}`);
for (const name of packed) {
  const plain = await readFile(path.join(directory, name.slice(0, -3)));
  if (!brotliDecompressSync(await readFile(path.join(directory, name))).equals(plain)) throw new Error(`${name} does not hold ${name.slice(0, -3)}`);
}
