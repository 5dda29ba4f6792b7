import { judgeProtocol } from "./judge.ts";
import type { Protocol } from "./protocol.ts";
import { rineProtocol } from "./rine.ts";
import { singleView } from "./single-view.ts";
import { twoView } from "./two-view.ts";
import { wVaeProtocol } from "./w-vae.ts";

/** Protocols by family, where it is not the one of two-view Gaussian codes. */
const protocols: Readonly<Record<string, Protocol>> = {
  cvae: wVaeProtocol,
  disentangle: singleView,
  judge: judgeProtocol,
  rine: rineProtocol,
  "w-vae": wVaeProtocol,
};

export function protocolOf(family: string): Protocol {
  return (Object.hasOwn(protocols, family) ? protocols[family] : undefined) ?? twoView;
}
