// fields.cc reads the fields of a YAML map by type, and reports mistakes in them.
#include "import/fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace ordain::importer {

std::optional<std::string> text_of(Diagnostics& diagnostics, const Yaml& node, std::string_view what) {
  if (!node.is_text()) {
    const bool quotable = node.kind == Yaml::Kind::scalar;
    diagnostics.error("wrong-type", node.span, fmt::format("{} must be a text, not {}", what, kind_name(node)),
                      quotable ? "put it in quotes" : "");
    return std::nullopt;
  }
  if (node.text.empty()) {
    diagnostics.error("bad-value", node.span, fmt::format("{} must not be empty", what));
    return std::nullopt;
  }
  return node.text;
}

void wrong_choice(Diagnostics& diagnostics, const Yaml& node, std::string_view what,
                  const std::vector<std::string>& choices) {
  const std::string near = nearest(node.text, choices);
  diagnostics.error("bad-value", node.span, fmt::format("{} must be one of {}", what, fmt::join(choices, ", ")),
                    near.empty() ? "" : fmt::format("did you mean `{}`?", near));
}

Fields::Fields(Diagnostics& diagnostics, const Yaml& node, std::string what)
    : diagnostics_(diagnostics), node_(node), what_(std::move(what)) {
  if (!node_.is_map()) {
    diagnostics_.error("wrong-type", node_.span, fmt::format("{} must be a map, not {}", what_, kind_name(node_)));
  }
}

const Yaml* Fields::any(const std::string& key) {
  known_.insert(key);
  for (size_t i = 0; i < node_.keys.size(); ++i) {
    if (node_.keys[i].text == key) return &node_.items[i];
  }
  return nullptr;
}

void Fields::wrong_type(const std::string& key, const Yaml& node, std::string_view wanted) {
  diagnostics_.error("wrong-type", node.span, fmt::format("`{}` must be {}, not {}", key, wanted, kind_name(node)));
}

std::optional<std::string> Fields::text(const std::string& key) {
  const Yaml* node = any(key);
  return node == nullptr ? std::nullopt : text_of(diagnostics_, *node, fmt::format("`{}`", key));
}

std::vector<std::string> Fields::texts(const std::string& key) {
  const Yaml* node = any(key);
  std::vector<std::string> out;
  if (node == nullptr) return out;
  if (!node->is_list()) {
    if (auto text = text_of(diagnostics_, *node, fmt::format("`{}`", key))) out.push_back(*text);
    return out;
  }
  if (node->items.empty()) diagnostics_.error("bad-value", node->span, fmt::format("`{}` has no elements", key));
  for (const Yaml& item : node->items) {
    if (auto text = text_of(diagnostics_, item, fmt::format("an element of `{}`", key))) out.push_back(*text);
  }
  return out;
}

std::optional<double> Fields::number(const std::string& key) {
  const Yaml* node = any(key);
  if (node == nullptr) return std::nullopt;
  auto out = node->number();
  if (!out) wrong_type(key, *node, "a plain decimal number");
  return out;
}

std::optional<int> Fields::count(const std::string& key) {
  auto out = number(key);
  if (!out) return std::nullopt;
  if (*out < 0 || *out > 1e6 || *out != std::floor(*out)) {
    diagnostics_.error("bad-value", any(key)->span, fmt::format("`{}` must be a whole number from 0 to 1000000", key));
    return std::nullopt;
  }
  return static_cast<int>(*out);
}

std::optional<std::string> Fields::choice(const std::string& key, const std::vector<std::string>& choices) {
  auto out = text(key);
  if (!out || std::find(choices.begin(), choices.end(), *out) != choices.end()) return out;
  wrong_choice(diagnostics_, *any(key), fmt::format("`{}`", key), choices);
  return std::nullopt;
}

const Yaml* Fields::list(const std::string& key) {
  const Yaml* node = any(key);
  if (node == nullptr || node->is_list()) return node;
  wrong_type(key, *node, "a list");
  return nullptr;
}

const Yaml* Fields::map(const std::string& key) {
  const Yaml* node = any(key);
  if (node == nullptr || node->is_map()) return node;
  wrong_type(key, *node, "a map");
  return nullptr;
}

void Fields::finish() {
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const Yaml& key : node_.keys) {
    if (known_.count(key.text) > 0) continue;
    const std::string near = nearest(key.text, known);
    diagnostics_.error(
        "unknown-key", key.span, fmt::format("{} has no key `{}`", what_, key.text),
        near.empty() ? fmt::format("keys are {}", fmt::join(known, ", ")) : fmt::format("did you mean `{}`?", near));
  }
}

}  // namespace ordain::importer
