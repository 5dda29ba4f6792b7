import { parentPort } from "node:worker_threads";
import { type MeasureWork, toAnswer } from "./measure-thread.ts";

/** Entry of the thread that measures. */
parentPort!.on("message", (work: MeasureWork) => parentPort!.postMessage(toAnswer(work)));
