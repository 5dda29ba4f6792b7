import { parentPort, workerData } from "node:worker_threads";
import { sha256OfFile } from "../../files/sha256.ts";

/** The thread of `startHashing`. */
const files = workerData as readonly string[];
parentPort!.postMessage(files.map((file) => sha256OfFile(file, `hash "${file}"`)));
