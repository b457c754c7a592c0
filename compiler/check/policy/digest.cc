// digest.cc computes the digest of a rule's meaning, as SHA-256 of a canonical text. Approvals are
// bound to it, so that they survive an unrelated edit, and become void with an edit that matters.
//
//   rule     = "rule 1" NL stage NL kind NL {target NL} NL tokens-of-the-rule NL {let} {fact}
//   let      = "let" SP qualified-name NL tokens-of-its-value NL
//            ; every let that the rule refers to, sorted by name; after one of a data file:
//            | "data" SP digest-of-the-file NL
//   fact     = "fact" SP path SP type NL
//            ; the host attributes and call fields that are read, sorted
//            | {"capability" SP properties NL}
//            ; of the targets, if the rule reads `capability` or `action.risk`
//            , {"state" SP qualified-name NL tokens-of-its-declaration NL {let}}
//            ; the histories, rates and budgets that the rule reads, by name
#include <algorithm>
#include <utility>

#include "compiler/check/policy/checker.h"
#include "compiler/parse/token_scan.h"
#include "ordain/digest.h"

namespace ordain::policy {
namespace {

void append_list(std::string& out, const char* name, std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  out += name;
  for (const std::string& item : items) out += " " + std::to_string(item.size()) + ":" + item;
  out += ';';
}

// @returns the values in `capability.*`, but not the capability's fields
std::string properties(const Capability& capability) {
  std::string out;
  append_list(out, "type", {capability.type});
  out += "risk " + std::to_string(capability.risk) + ";";
  append_list(out, "owner", {capability.owner});
  append_list(out, "effects", capability.effects);
  append_list(out, "scopes", capability.scopes);
  append_list(out, "tags", capability.tags);
  return out;
}

std::string path_text(const Access& access) {
  std::string out(access.root);
  for (std::string_view name : access.path) {
    out += '.';
    out += name;
  }
  return out;
}

void add_call_fact(State& state, const Access& access, const RuleContext& context, std::set<std::string>& facts) {
  std::string path = path_text(access);
  for (CapabilityId id : context.distinct) {
    const CapabilityShape& shape = state.shapes[id];
    bool missing = false;
    facts.insert("fact " + path + " " +
                 access_key(state, access, access.root == "input" ? shape.input : shape.output, &missing) + "\n");
  }
}

// Builds one text for all capabilities that the targets match; it is cached, because many rules
// share their targets.
const std::string& target_properties(State& state, const Targets& targets) {
  auto [known, added] = state.target_properties.try_emplace(&targets);
  if (!added) return known->second;
  std::set<std::string> lines;
  for (const Targets::Match& match : targets.matches) {
    const Capability& capability = state.set.schema.capabilities[match.capability];
    if (capability.declared) lines.insert("capability " + properties(capability) + "\n");
  }
  for (const std::string& line : lines) known->second += line;
  return known->second;
}

void add_facts(State& state, const std::vector<Access>& accesses, const RuleContext& context,
               std::set<std::string>& facts) {
  for (const Access& access : accesses) {
    if (is_input_or_output(access.root)) {
      add_call_fact(state, access, context, facts);
      continue;
    }
    for (const Root& root : state.roots) {
      if (root.name != access.root) continue;
      bool missing = false;
      facts.insert("fact " + path_text(access) + " " + access_key(state, access, root.meaning.type, &missing) + "\n");
    }
    // A call's risk is its capability's, unless the host gives another.
    bool risk = access.root == "action" && (access.path.empty() || access.path[0] == "risk");
    if (access.root != "capability" && !risk) continue;
    facts.insert(target_properties(state, *context.targets));
  }
}

void append_capability(State& state, std::string& out, CapabilityId id) {
  const Capability& capability = state.set.schema.capabilities[id];
  const CapabilityShape& shape = state.shapes[id];
  out += "capability " + capability.name + " " + properties(capability);
  append_list(out, "description", {capability.description});
  if (shape.decl != nullptr && !shape.decl->labels.empty()) {
    std::vector<std::string> labels;
    for (const syntax::Name& label : shape.decl->labels) labels.emplace_back(label.text);
    append_list(out, "labels", std::move(labels));
  }
  out += " input " + (shape.input != nullptr ? type_key(state, *shape.input) : "dyn");
  out += " output " + (shape.output != nullptr ? type_key(state, *shape.output) : "dyn") + "\n";
}

std::string data_line(const syntax::LetDecl& let) {
  return let.data == nullptr ? "" : "data " + std::string(let.data_digest) + "\n";
}

std::string hex_of(State& state, RuleId rule) { return to_hex(state.set.rules[rule].digest); }

}  // namespace

Digest rule_digest(State& state, const syntax::RuleDecl& rule, const Reads& reads, const RuleContext& context) {
  std::string text = "rule 1\n";
  text += std::string(to_string(context.stage)) + "\n" + std::string(to_string(rule.kind)) + "\n";
  text += context.targets->canonical + "\n";
  text += canonical_text(state.text(rule.span)) + "\n";
  std::set<std::string> facts;
  std::set<std::string> lets;
  add_facts(state, reads.accesses, context, facts);
  for (LetId id : let_closure(state, reads)) {
    const Let& let = state.lets[id];
    lets.insert("let " + let.name + "\n" + canonical_text(state.text(let.decl->value->span)) + "\n" +
                data_line(*let.decl));
    add_facts(state, let.reads.accesses, context, facts);
  }
  for (const std::string& let : lets) text += let;
  for (const std::string& fact : facts) text += fact;
  append_states(state, reads, text);
  return sha256(text);
}

void digest_packages(State& state) {
  std::vector<std::string> texts(state.packages.size());
  for (PackageId id = 0; id < state.packages.size(); ++id) {
    texts[id] = "package 1\n" + state.packages[id].name + "\n";
    if (state.set.packages[id].first_match) texts[id] += "first_match\n";
    if (const uint32_t budget = state.set.packages[id].budget; budget != 0) {
      texts[id] += "budget " + std::to_string(budget) + "\n";
    }
  }
  for (CapabilityId id = 0; id < state.set.schema.capabilities.size(); ++id) {
    const syntax::CapabilityDecl* decl = state.shapes[id].decl;
    if (decl == nullptr) continue;
    for (uint32_t file = 0; file < state.files.size(); ++file) {
      if (state.files[file].file != decl->name.span.file) continue;
      append_capability(state, texts[state.file_packages[file]], id);
    }
  }
  for (uint32_t file = 0; file < state.files.size(); ++file) {
    std::string& text = texts[state.file_packages[file]];
    for (const syntax::ContextDecl& context : state.files[file].contexts) {
      text += canonical_text(state.text(context.span)) + "\n";
    }
    for (const syntax::LetDecl& let : state.files[file].lets) {
      text += "let " + std::string(let.name.text) + "\n";
      if (let.value != nullptr) text += canonical_text(state.text(let.value->span)) + "\n" + data_line(let);
    }
    for (const syntax::Name& label : state.files[file].labels) text += "label " + std::string(label.text) + "\n";
    for (const syntax::StateDecl& decl : state.files[file].states) text += canonical_text(state.text(decl.span)) + "\n";
    for (const syntax::PolicyDecl& policy : state.files[file].policies) {
      for (const syntax::LabelRuleDecl& rule : policy.label_rules) {
        text += canonical_text(state.text(rule.rule.span)) + "\n";
      }
      text += "policy " + std::string(policy.name.text) + "\n" + std::string(policy.version) + "\n" +
              std::string(policy.description) + "\n";
    }
  }
  for (RuleId rule = 0; rule < state.set.rules.size(); ++rule) {
    texts[state.set.rule_packages[rule]] += state.set.rules[rule].name + " " + hex_of(state, rule) + "\n";
  }
  for (PackageId id = 0; id < state.packages.size(); ++id) state.set.packages[id].digest = sha256(texts[id]);
}

}  // namespace ordain::policy
