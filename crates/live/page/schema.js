// The JSON Schema of experiments: which choices a key has, and which parameters a choice has.

let root = {};

/** Loads the schema. */
export async function loadSchema() {
  const answer = await fetch("/schema.json");
  if (!answer.ok) {
    throw new Error(`The program has not sent the schema of experiments: ${answer.status}.`);
  }
  root = await answer.json();
}

/** A node without its reference; its own description and default go before those of the reference. */
function resolved(node) {
  if (!node?.$ref) {
    return node;
  }
  const { $ref, ...own } = node;
  const target = $ref.split("/").slice(1).reduce((at, name) => at[name], root);
  return { ...resolved(target), ...own };
}

/** All alternatives of a node, without `null` and lists. */
function alternatives(node) {
  const whole = resolved(node);
  const inner = whole.anyOf ?? whole.oneOf;
  return inner ? inner.flatMap(alternatives) : [whole];
}

/** The first paragraph of a description, in one line. */
function help(node) {
  return (node.description ?? "").split("\n\n")[0].replaceAll("\n", " ").replaceAll("`", "");
}

/** The node of a key such as `model.activation`; `values` tell which alternative of a table is meant. */
export function nodeOf(key, values) {
  let node = root;
  let value = values;
  for (const name of key.split(".")) {
    const found = alternatives(node).find((one) => {
      const own = one.properties?.name?.const;
      return one.properties?.[name] && (own === undefined || own === value?.name);
    });
    // Some tables have keys that all alternatives share, such as the learning rate of optimisers.
    node = found?.properties[name] ?? resolved(node).properties?.[name];
    if (!node) {
      return undefined;
    }
    value = value?.[name];
  }
  return resolved(node);
}

/**
 * The choices of a menu: the name of each, help in one sentence, whether a name alone is enough, and the nodes of its
 * parameters.
 */
export function choicesOf(node) {
  const found = new Map();
  const add = (name, choice) => found.set(name, { name, help: "", parameters: {}, ...found.get(name), ...choice });
  for (const one of node ? alternatives(node) : []) {
    const name = one.properties?.name?.const;
    if (one.enum) {
      one.enum.forEach((name) => add(name, { isText: true }));
    } else if (name !== undefined) {
      const { name: _, ...parameters } = one.properties;
      add(name, { help: help(one), parameters, required: one.required });
    } else if (typeof one.const === "string") {
      add(one.const, { help: help(one), isText: true });
    }
  }
  return [...found.values()];
}

/** What a node takes: `number`, `integer`, `boolean`, `menu`, or `other`; with its default and help. */
export function kindOf(node) {
  const whole = resolved(node);
  const type = [whole.type ?? []].flat().find((name) => name !== "null");
  const known = ["number", "integer", "boolean"].includes(type);
  const isMenu = !known && choicesOf(whole).length > 0;
  return {
    kind: known ? type : isMenu ? "menu" : "other",
    default: whole.default,
    help: help(whole),
    choices: isMenu ? choicesOf(whole) : [],
  };
}
