/** Where training code finds the seeded generator; the server draws from the same one. */
export { type Random, stream } from "../information/random.ts";
