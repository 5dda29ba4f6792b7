import { h } from "../element.ts";
import { forgetToken, keepToken } from "../token.ts";

/** What stands in the place of a model on a server that shows its models to those with a token only. */
export function lockedPage(title: string, { accepts }: { accepts: () => Promise<boolean> }): readonly HTMLElement[] {
  const token = h("input", {
    type: "password",
    name: "token",
    required: true,
    pattern: "\\S+",
    title: "A token has no spaces",
    autocomplete: "off",
    spellcheck: "false",
  });
  const answer = h("p", { class: "hint", role: "status" });
  const show = h("button", { type: "submit", class: "main" }, "Show the models");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault(); // sent by `fetch` as a header; a form would put it into the address
    show.disabled = true;
    answer.textContent = "Asking the server …";
    keepToken(token.value.trim());
    try {
      if (await accepts()) return;
      answer.textContent = "The server does not know this token.";
      forgetToken();
    } catch (error) {
      answer.textContent = error instanceof Error ? error.message : String(error);
    }
    show.disabled = false;
    token.focus();
  };
  return [
    h("h1", {}, title),
    h(
      "p",
      { class: "lead" },
      "This server shows its models only to those with a token: ask who runs it. Theory and training work without.",
    ),
    h(
      "form",
      { class: "row", submit: (event) => void submit(event) },
      h("label", { class: "choice" }, "Token", token),
      show,
    ),
    answer,
    h(
      "p",
      { class: "hint" },
      "The token stays in this tab until you close it or press “Forget the token” at the foot of the page; it is sent to this server only, and is not in the address that you may share.",
      isSecureContext
        ? undefined
        : h("b", {}, " This page came unencrypted: others on the way can read what you send."),
    ),
  ];
}
