import { writeEncoderBundle } from "./bundles.ts";

/**
 * `node encoder-bundle-main.js FOLDER`: a process of its own, since what the compiler leaves behind is collected later,
 * on two threads for 20 ms, in the middle of what the benchmark measures.
 */
await writeEncoderBundle(process.argv[2]!);
