import { pairPlayground } from "../theory/pair-playground.ts";
import { redundancyPlayground } from "../theory/redundancy-playground.ts";
import { h } from "../element.ts";
import type { FreeView } from "./view.ts";

/** The three meanings of "what is shared", on distributions small enough to see. Computed by information/, live. */
export const theory: FreeView = {
  id: "theory",
  title: "Theory",
  needs: "nothing",
  mount(root, { state }) {
    root.append(
      h("h1", {}, "What does “shared” mean?"),
      h(
        "p",
        { class: "lead" },
        "Three answers on tables small enough to see. Change a cell and everything is computed anew, exactly.",
      ),
      pairPlayground(state),
      redundancyPlayground(state),
    );
    return () => {};
  },
};
