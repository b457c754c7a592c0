// Narrowing derives from a condition's outcome which values are present, and determines which nodes
// may fault.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "compiler/check/expression/typed.h"

namespace ordain::checking {

/// The facts that hold when a condition has a certain outcome: which values are present, and which
/// are absent. `never`: the condition cannot have that outcome, so every fact holds.
template <typename Key>
struct Facts {
  bool never = false;
  std::vector<Key> present;
  std::vector<Key> absent;
};

/// In the key of a value: any element of a list, or any value of a map.
inline constexpr const char* kAnyStep = "[*]";

template <typename Key>
void add_fact(std::vector<Key>& keys, const Key& key) {
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
}

template <typename Key>
Facts<Key> both(Facts<Key> a, const Facts<Key>& b) {
  a.never = a.never || b.never;
  for (const Key& key : b.present) add_fact(a.present, key);
  for (const Key& key : b.absent) add_fact(a.absent, key);
  return a;
}

template <typename Key>
Facts<Key> either(Facts<Key> a, const Facts<Key>& b) {
  if (a.never) return b;
  if (b.never) return a;
  auto keep_common = [](std::vector<Key>& keys, const std::vector<Key>& others) {
    std::erase_if(keys, [&](const Key& key) { return std::find(others.begin(), others.end(), key) == others.end(); });
  };
  keep_common(a.present, b.present);
  keep_common(a.absent, b.absent);
  return a;
}

/// @returns the facts that hold when `node` is `outcome`. `test_facts(node, outcome, facts)` adds the
/// facts that follow from a presence test (has_slot, has_field, hasValue()) or a loop of them.
template <typename Key, typename TestFacts>
Facts<Key> facts_when(const typed::Node& node, bool outcome, const TestFacts& test_facts) {
  using typed::NodeKind;
  auto facts = [&](const typed::Node& part, bool wanted) { return facts_when<Key>(part, wanted, test_facts); };
  Facts<Key> out;
  switch (node.kind) {
    case NodeKind::constant:
      out.never = node.value.is(Kind::boolean) && node.value.as_bool() != outcome;
      return out;
    case NodeKind::not_:
      return facts(*node.args[0], !outcome);
    case NodeKind::and_:
    case NodeKind::or_: {
      bool all = (node.kind == NodeKind::and_) == outcome;
      for (size_t i = 0; i < node.args.size(); ++i) {
        Facts<Key> part = facts(*node.args[i], outcome);
        out = i == 0 ? part : all ? both(std::move(out), part) : either(std::move(out), part);
      }
      return out;
    }
    case NodeKind::conditional:
      return either(both(facts(*node.args[0], true), facts(*node.args[1], outcome)),
                    both(facts(*node.args[0], false), facts(*node.args[2], outcome)));
    case NodeKind::equal:
    case NodeKind::not_equal:
      for (size_t i = 0; i < 2; ++i) {
        const typed::Node& side = *node.args[i];
        if (side.kind != NodeKind::constant || !side.value.is(Kind::boolean)) continue;
        bool same = (node.kind == NodeKind::equal) == outcome;
        // Only for a bool does `x != true` mean that it is false.
        if (same || node.args[1 - i]->type->kind == TypeKind::boolean) {
          return facts(*node.args[1 - i], side.value.as_bool() == same);
        }
      }
      return out;
    case NodeKind::fail:
      out.never = true;
      return out;
    default:
      test_facts(node, outcome, out);
      return out;
  }
}

/// @returns whether some evaluation of `node` may fault, given `may_fault` of its children. Types
/// must be settled.
bool may_fault(const typed::Node& node);

}  // namespace ordain::checking
