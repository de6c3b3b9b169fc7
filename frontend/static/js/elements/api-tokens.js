/** <api-tokens>: the tokens of one's programs: listed, made and shown once, revoked. */

import { post } from "../api.js";
import { dated } from "../drawing/replay_words.js";
import { tryOut } from "../forms/try_out.js";
import { build } from "./build.js";
import { SecretList } from "./secret-list.js";

class ApiTokens extends SecretList {
  static path = "/api/account/tokens";
  static rows = "tokens";
  static nobody = "You have no token. Make one for each program, so that each can be revoked alone.";

  async made(values) {
    if (values.scopes.length === 0) throw { errors: [{ field: "scopes", message: "is empty; tick at least one." }] };
    const made = await post(ApiTokens.path, { ...values, days: values.days === "" ? null : values.days });
    return [made.token, tryOut(made, location.origin)];
  }

  told({ name, scopes, created, expires, last_used: lastUsed }) {
    const used = lastUsed === null ? "never used" : `last used ${dated(lastUsed)}`;
    const isOver = expires !== null && expires * 1000 < Date.now();
    const ends = expires === null ? "works until revoked" : `${isOver ? "expired" : "expires"} ${dated(expires)}`;
    const nodes = [
      build("div", {}, build("b", { class: "person-name" }, name), build("span", { class: "small quiet" }, `made ${dated(created)}, ${used}, ${ends}`)),
      build("div", { class: "scopes small" }, ...scopes.map((scope) => build("span", { class: "scope" }, scope))),
    ];
    return { nodes, revoke: `Revoke the token ${name}` };
  }
}

customElements.define("api-tokens", ApiTokens);
