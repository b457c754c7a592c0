// The DAG is built from the top: of all the tests that rules share, the builder chooses the one
// that saves a call the most rules. Rules without that test continue in the node's `next`. Each
// rule therefore lies on one path (or on one for each key of a test with several keys), and the DAG
// stays linear in size. Keys with the same rules share a node. Numbers and times between bounds are
// looked up among all bounds at once where few intervals overlap, and halved where many do.
#include "compiler/index/dag.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "compiler/index/intervals.h"
#include "vm/program/verify_index.h"

namespace ordain::indexing {
namespace {

// Up to this many rules are tried one after another.
constexpr size_t kFewRules = 8;

// The costs of the parts of a decision, in nanoseconds; only their proportions matter.
constexpr double kRuleCost = 12;
constexpr double kRuleCostInBatch = 4;
constexpr double kTextRuleCost = 25;
double cost_of(IndexTest test) {
  switch (test) {
    case IndexTest::member:
      return 6;
    case IndexTest::text:
      return 250;
    case IndexTest::network:
      return 60;
    case IndexTest::interval:
      return 16;
    default:
      return 4;
  }
}

/// An alternative of a rule on its way down, and which of its atoms the path has proved.
struct Item {
  uint32_t rule = 0;
  const Alternative* alternative = nullptr;
  uint32_t proved = 0;  ///< a bit for each atom
};
using Items = std::vector<Item>;

using Path = std::vector<Bounds>;

Bounds bounds_of(const Path& path, SlotId slot) {
  for (auto at = path.rbegin(); at != path.rend(); ++at) {
    if (at->slot == slot) return *at;
  }
  return {slot, 0, UINT64_MAX};
}

/// A way to split the items.
struct Split {
  double gain = 0;
  IndexTest test = IndexTest::leaf;
  size_t first = 0, last = 0;  ///< of the uses
  uint64_t bound = 0;
};

class DagBuilder {
 public:
  DagBuilder(std::span<const Rule> rules, const Schema& schema, uint64_t budget)
      : rules_(rules), schema_(schema), budget_(budget) {}

  Dag build() {
    Items items = read();
    dag_.notes.assign(rules_.size(), IndexNote::few_rules);
    if (rules_.size() <= kFewRules) return std::move(dag_);
    take_notes(items);
    build(std::move(items), {}, 0);
    if (dag_.nodes.size() > 1 && walk_cost() < scan_cost()) {
      return std::move(dag_);
    }
    dag_.nodes.clear();
    for (IndexNote& note : dag_.notes) note = note == IndexNote::indexed ? IndexNote::few_rules : note;
    return std::move(dag_);
  }

 private:
  Items read() {
    Items out;
    size_t keys = 0;
    conditions_.reserve(rules_.size());
    for (uint32_t rule = 0; rule < rules_.size(); ++rule) {
      conditions_.push_back(alternatives(rules_[rule].body->when, schema_, rules_[rule].strict, budget_));
      for (Alternative& alternative : conditions_.back()) {
        out.push_back({rule, &alternative, 0});
        for (Atom& atom : alternative.atoms) {
          for (const Key& key : atom.keys) atom.key_numbers.push_back(key_number(key));
          keys += atom.keys.size();
        }
      }
    }
    keys_.resize(key_numbers_.size());
    for (const auto& [key, number] : key_numbers_) keys_[number] = &key;
    growth_left_ = 4 * out.size() + 2 * keys + 256;
    return out;
  }

  void take_notes(const Items& items) {
    for (const Item& item : items) {
      IndexNote& note = dag_.notes[item.rule];
      if (note == IndexNote::few_rules) note = IndexNote::indexed;
      if (item.alternative->atoms.empty() && !item.alternative->exact) note = IndexNote::no_test;
    }
  }

  // The cost of trying all rules.
  double scan_cost() const {
    double out = 0;
    for (const std::vector<Alternative>& condition : conditions_) {
      const auto reads_text = [](const Alternative& alternative) {
        return std::ranges::any_of(alternative.atoms, [](const Atom& atom) { return atom.test == IndexTest::text; });
      };
      out += std::ranges::any_of(condition, reads_text) ? kTextRuleCost : kRuleCostInBatch;
    }
    return out;
  }

  // The cost of a decision in the DAG, if every second look-up finds something.
  double walk_cost() const {
    std::vector<double> cost(dag_.nodes.size());
    for (size_t i = dag_.nodes.size(); i-- > 0;) {
      const Node& node = dag_.nodes[i];
      double below = 0;
      for (const Edge& edge : node.edges) below += cost[edge.node];
      if (!node.edges.empty()) below /= 2 * static_cast<double>(node.edges.size());
      for (const Leaf& leaf : node.leaves) below += leaf.rare ? 0 : leaf.sure ? 1 : kRuleCost;
      cost[i] = below + (node.test == IndexTest::leaf ? 1 : cost_of(node.test));
      if (node.next != kNone) cost[i] += cost[node.next];
    }
    return cost[0];
  }

  uint32_t new_node() {
    dag_.nodes.emplace_back();
    return static_cast<uint32_t>(dag_.nodes.size() - 1);
  }

  uint32_t key_number(const Key& key) {
    return key_numbers_.try_emplace(key, static_cast<uint32_t>(key_numbers_.size())).first->second;
  }

  // --- the tree

  /// @returns the node, or kNone if there are no items.
  uint32_t build(Items items, const Path& path, uint32_t depth) {
    uint32_t first = kNone, before = kNone;
    while (!items.empty()) {
      std::vector<Use> uses = uses_of(items, path);
      const Split split = depth + 2 < kMaxIndexDepth ? best_split(uses, items, path) : Split{};
      const uint32_t node = new_node();
      if (first == kNone) first = node;
      if (before != kNone) dag_.nodes[before].next = node;
      before = node;
      if (split.test == IndexTest::leaf) {
        make_leaf(node, items, path);
        break;
      }
      const std::span<const Use> chosen(uses.data() + split.first, split.last - split.first);
      items = split.test == IndexTest::threshold  ? divide(node, split, chosen, std::move(items), path, depth)
              : split.test == IndexTest::interval ? spread(node, chosen, std::move(items), path, depth)
                                                  : branch(node, split, chosen, std::move(items), path, depth);
    }
    return first;
  }

  void make_leaf(uint32_t node, const Items& items, const Path& path) {
    std::vector<Leaf>& leaves = dag_.nodes[node].leaves;
    for (const Item& item : items) {
      const bool sure = is_sure(item, path);
      if (!leaves.empty() && leaves.back().rule == item.rule) {
        leaves.back().sure = leaves.back().sure || sure;
        leaves.back().rare = leaves.back().rare && item.alternative->rare;
      } else {
        leaves.push_back({item.rule, sure, item.alternative->rare});
      }
    }
  }

  static bool is_sure(const Item& item, const Path& path) {
    if (!item.alternative->exact) return false;
    for (size_t i = 0; i < item.alternative->atoms.size(); ++i) {
      const Atom& atom = item.alternative->atoms[i];
      const bool proved = atom.test == IndexTest::threshold ? holds(atom, path) : (item.proved >> i & 1) != 0;
      if (!proved) return false;
    }
    return true;
  }

  static bool holds(const Atom& atom, const Path& path) {
    const Bounds known = bounds_of(path, atom.slot);
    return atom.low <= known.low && atom.high >= known.high;
  }

  // --- choosing a test

  /// Collects the uses, sorted by test, slot, key and item. If an item has several atoms for one
  /// test and slot, only the first counts; thresholds count together.
  std::vector<Use> uses_of(const Items& items, const Path& path) {
    std::vector<Use> out;
    for (uint32_t i = 0; i < items.size(); ++i) {
      const std::vector<Atom>& atoms = items[i].alternative->atoms;
      const size_t begin = out.size();
      for (uint32_t a = 0; a < atoms.size(); ++a) {
        const Atom& atom = atoms[a];
        if ((items[i].proved >> a & 1) != 0) continue;
        if (atom.test == IndexTest::threshold) {
          add_interval(out, begin, atom, i, path);
        } else if (!has_use(out, begin, atom)) {
          for (uint32_t key : atom.key_numbers) out.push_back({atom.test, atom.slot, key, i, a});
        }
      }
    }
    const auto order = [](const Use& use) { return std::tuple(use.test, use.slot, use.key, use.item); };
    std::sort(out.begin(), out.end(), [&](const Use& a, const Use& b) { return order(a) < order(b); });
    const auto same = [&](const Use& a, const Use& b) { return order(a) == order(b); };
    out.erase(std::unique(out.begin(), out.end(), same), out.end());
    return out;
  }

  static bool has_use(const std::vector<Use>& uses, size_t begin, const Atom& atom) {
    for (size_t i = begin; i < uses.size(); ++i) {
      if (uses[i].test == atom.test && uses[i].slot == atom.slot) return true;
    }
    return false;
  }

  static void add_interval(std::vector<Use>& uses, size_t begin, const Atom& atom, uint32_t item, const Path& path) {
    const Bounds known = bounds_of(path, atom.slot);
    if (atom.low <= known.low && atom.high >= known.high) return;
    for (size_t i = begin; i < uses.size(); ++i) {
      if (uses[i].test != IndexTest::threshold || uses[i].slot != atom.slot) continue;
      uses[i].low = std::max(uses[i].low, atom.low);
      uses[i].high = std::min(uses[i].high, atom.high);
      return;
    }
    uses.push_back({IndexTest::threshold, atom.slot, 0, item, 0, atom.low, atom.high});
  }

  Split best_split(std::span<const Use> uses, const Items& items, const Path& path) {
    Split best;
    for (size_t first = 0; first < uses.size();) {
      size_t last = first;
      while (last < uses.size() && uses[last].test == uses[first].test && uses[last].slot == uses[first].slot) ++last;
      const std::span<const Use> axis = uses.subspan(first, last - first);
      Split split{.gain = 0, .test = uses[first].test, .first = first, .last = last, .bound = 0};
      if (split.test == IndexTest::threshold) {
        choose_bound(axis, bounds_of(path, axis[0].slot), &split);
        choose_intervals(axis, bounds_of(path, axis[0].slot), &split);
      } else {
        split.gain = gain_of(axis);
        if (split.gain > 0 && growth_of(axis) > growth_left_) {
          for (const Use& use : axis) dag_.notes[items[use.item].rule] = IndexNote::too_wide;
          split.gain = 0;
        }
      }
      if (split.gain > best.gain) best = split;
      first = last;
    }
    return best;
  }

  // The rules that a call is saved, if calls have keys as often as rules name them, and sometimes
  // one that rules do not name.
  static double gain_of(std::span<const Use> axis) {
    double squares = 0;
    size_t keys = 0, items = 0;
    for (size_t first = 0; first < axis.size(); ++keys) {
      size_t last = first;
      while (last < axis.size() && axis[last].key == axis[first].key) ++last;
      const auto count = static_cast<double>(last - first);
      squares += count * count;
      first = last;
    }
    items = distinct_items(axis);
    const auto total = static_cast<double>(axis.size());
    double tried = squares / (total + total / static_cast<double>(keys));
    if (axis[0].test == IndexTest::member) tried *= 2;  // a list has several members
    if (axis[0].test == IndexTest::text) tried = total / static_cast<double>(keys);
    const double rule_cost = axis[0].test == IndexTest::text ? kTextRuleCost : kRuleCost;
    return rule_cost * (static_cast<double>(items) - tried) - cost_of(axis[0].test);
  }

  static size_t distinct_items(std::span<const Use> axis) {
    std::vector<uint32_t> items;
    for (const Use& use : axis) items.push_back(use.item);
    std::sort(items.begin(), items.end());
    return static_cast<size_t>(std::unique(items.begin(), items.end()) - items.begin());
  }

  static size_t growth_of(std::span<const Use> axis) { return axis.size() - distinct_items(axis); }

  // Chooses the bound that leaves the most items wholly on one side.
  static void choose_bound(std::span<const Use> axis, const Bounds& known, Split* split) {
    std::vector<uint64_t> lows, ends;
    for (const Use& use : axis) {
      if (use.low > known.low) lows.push_back(use.low);
      if (use.high < known.high) ends.push_back(use.high + 1);
    }
    for (std::vector<uint64_t>* bounds : {&lows, &ends}) {
      if (bounds->empty()) continue;
      auto middle = bounds->begin() + static_cast<ptrdiff_t>(bounds->size() / 2);
      std::nth_element(bounds->begin(), middle, bounds->end());
      const uint64_t bound = *middle;
      size_t on_a_side = 0;
      for (const Use& use : axis) on_a_side += use.low >= bound || use.high < bound ? 1 : 0;
      const double gain = kRuleCost * static_cast<double>(on_a_side) / 2 - cost_of(IndexTest::threshold);
      if (gain <= split->gain) continue;
      split->gain = gain;
      split->bound = bound;
    }
  }

  // Chooses intervals if they spare a call more rules than the bound chosen before.
  void choose_intervals(std::span<const Use> axis, const Bounds& known, Split* split) const {
    if (axis.size() <= 2) return;
    const Intervals found(axis, known);
    if (found.uses.empty() || found.growth() > growth_left_) return;
    const auto tried =
        static_cast<double>(found.uses.size() + found.growth()) / static_cast<double>(found.bounds.size());
    const double gain = kRuleCost * (static_cast<double>(found.uses.size()) - tried) - cost_of(IndexTest::interval);
    if (gain <= split->gain) return;
    split->gain = gain;
    split->test = IndexTest::interval;
  }

  // --- splitting

  bool may_fault_absent(const Item& item, IndexTest test, SlotId slot) const {
    // An absent built-in text is "", which is not an address.
    const bool is_empty = schema_.slots[slot].builtin && test != IndexTest::network;
    if (!rules_[item.rule].strict || is_empty) return false;
    return std::ranges::none_of(item.alternative->atoms, [slot](const Atom& atom) {
      return atom.test == IndexTest::present && atom.slot == slot && atom.keys[0].number == 1;
    });
  }

  /// Whoever passes another test of a slot has shown that it is present. But an absent built-in text
  /// equals "".
  void prove_present(Item& item, IndexTest test, SlotId slot) const {
    if (test == IndexTest::present || (test == IndexTest::symbol && schema_.slots[slot].builtin)) return;
    const std::vector<Atom>& atoms = item.alternative->atoms;
    for (size_t i = 0; i < atoms.size(); ++i) {
      const bool proved = atoms[i].test == IndexTest::present && atoms[i].slot == slot && atoms[i].keys[0].number == 1;
      if (proved) item.proved |= uint32_t{1} << i;
    }
  }

  /// Adds a node with an edge for each key. @returns the items without the test.
  Items branch(uint32_t node, const Split& split, std::span<const Use> uses, Items items, const Path& path,
               uint32_t depth) {
    const SlotId slot = uses[0].slot;
    growth_left_ -= growth_of(uses);
    std::vector<bool> taken(items.size());
    uint64_t longest = UINT64_MAX;
    bool absent = false;
    std::vector<Edge> edges;
    std::map<std::vector<uint32_t>, uint32_t> shared;  // by the items of the uses
    for (size_t first = 0; first < uses.size();) {
      size_t last = first;
      std::vector<uint32_t> members;
      Items below;
      for (; last < uses.size() && uses[last].key == uses[first].key; ++last) {
        const Use& use = uses[last];
        Item item = items[use.item];
        const Atom& atom = item.alternative->atoms[use.atom];
        item.proved |= uint32_t{1} << use.atom;
        longest = std::min(longest, atom.longest);
        prove_present(item, split.test, slot);
        absent = absent || (split.test != IndexTest::present && may_fault_absent(item, split.test, slot));
        taken[use.item] = true;
        members.push_back(use.item);
        below.push_back(item);
      }
      auto [known, is_new] = shared.try_emplace(std::move(members), kNone);
      if (is_new) {
        known->second = build(std::move(below), path, depth + 1);
      }
      edges.push_back({*keys_[uses[first].key], known->second});
      first = last;
    }
    Node& out = dag_.nodes[node];
    out.test = split.test;
    out.slot = slot;
    out.absent = absent;
    out.bound = split.test == IndexTest::text ? longest : 0;
    out.edges = std::move(edges);
    return rest_of(std::move(items), taken);
  }

  /// Adds a node that separates what lies below the bound from what does not. @returns the items on
  /// both sides of it.
  Items divide(uint32_t node, const Split& split, std::span<const Use> uses, Items items, const Path& path,
               uint32_t depth) {
    const SlotId slot = uses[0].slot;
    Items sides[2];
    std::vector<bool> taken(items.size());
    bool absent = false;
    for (const Use& use : uses) {
      if (use.low < split.bound && use.high >= split.bound) continue;
      taken[use.item] = true;
      Item item = items[use.item];
      prove_present(item, IndexTest::threshold, slot);
      absent = absent || may_fault_absent(item, IndexTest::threshold, slot);
      sides[use.low >= split.bound ? 1 : 0].push_back(item);
    }
    std::vector<Edge> edges;
    for (const uint32_t side : {0u, 1u}) {
      if (sides[side].empty()) continue;
      Path narrowed = path;
      Bounds known = bounds_of(path, slot);
      (side == 0 ? known.high : known.low) = side == 0 ? split.bound - 1 : split.bound;
      narrowed.push_back(known);
      edges.push_back({{.number = side}, build(std::move(sides[side]), narrowed, depth + 1)});
    }
    Node& out = dag_.nodes[node];
    out.test = IndexTest::threshold;
    out.slot = slot;
    out.absent = absent;
    out.bound = split.bound;
    out.edges = std::move(edges);
    return rest_of(std::move(items), taken);
  }

  /// Adds a node with an edge for each interval between bounds. @returns the items that cover too
  /// many of them, or none.
  Items spread(uint32_t node, std::span<const Use> axis, Items items, const Path& path, uint32_t depth) {
    const SlotId slot = axis[0].slot;
    const Bounds known = bounds_of(path, slot);
    const Intervals found(axis, known);
    growth_left_ -= found.growth();
    std::vector<bool> taken(items.size());
    std::vector<Items> below(found.bounds.size());
    bool absent = false;
    for (const Use& use : found.uses) {
      Item item = items[use.item];
      prove_present(item, IndexTest::interval, slot);
      absent = absent || may_fault_absent(item, IndexTest::interval, slot);
      taken[use.item] = true;
      for (size_t i = found.first(use); i < found.end(use); ++i) below[i].push_back(item);
    }
    std::vector<Edge> edges;
    uint32_t nothing = kNone;
    for (size_t i = 0; i < below.size(); ++i) {
      const bool is_last = i + 1 == below.size();
      Path narrowed = path;
      narrowed.push_back({slot, found.bounds[i], is_last ? known.high : found.bounds[i + 1] - 1});
      uint32_t to = nothing;
      if (!below[i].empty()) {
        to = build(std::move(below[i]), narrowed, depth + 1);
      } else if (nothing == kNone) {
        to = nothing = new_node();
      }
      edges.push_back({{.number = found.bounds[i]}, to});
    }
    Node& out = dag_.nodes[node];
    out.test = IndexTest::interval;
    out.slot = slot;
    out.absent = absent;
    out.edges = std::move(edges);
    return rest_of(std::move(items), taken);
  }

  static Items rest_of(Items items, const std::vector<bool>& taken) {
    Items out;
    for (size_t i = 0; i < items.size(); ++i) {
      if (!taken[i]) out.push_back(items[i]);
    }
    return out;
  }

  std::span<const Rule> rules_;
  const Schema& schema_;
  const uint64_t budget_;
  std::vector<std::vector<Alternative>> conditions_;
  std::map<Key, uint32_t> key_numbers_;
  std::vector<const Key*> keys_;  ///< by number
  size_t growth_left_ = 0;
  Dag dag_;
};

}  // namespace

Dag build_dag(std::span<const Rule> rules, const Schema& schema, uint64_t budget) {
  return DagBuilder(rules, schema, budget).build();
}

}  // namespace ordain::indexing
