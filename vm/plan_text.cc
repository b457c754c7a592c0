// Slots, symbols and rules by their names; order keys turned back into numbers.
#include "ordain/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <set>

#include "ordain/json.h"
#include "ordain/time_text.h"
#include "vm/program_data.h"

namespace ordain {
namespace {

/// One list of rules: what a heading says of it.
struct PlannedRange {
  std::string capability;
  Stage stage = Stage::before;
  std::string package;
  const char* kind = "";
  RuleRange range;
};

std::vector<PlannedRange> ranges_of(const ProgramData& data) {
  std::vector<PlannedRange> out;
  std::set<std::pair<uint32_t, uint32_t>> seen;  // package, first entry
  for (size_t i = 0; i < data.capability_plans.size(); ++i) {
    const bool declared = i < data.schema.capabilities.size();
    const std::string name = declared ? data.schema.capabilities[i].name : "(undeclared)";
    for (const Stage stage : {Stage::before, Stage::after}) {
      const Range packages = data.capability_plans[i].packages[static_cast<size_t>(stage)];
      for (uint32_t p = packages.first; p < packages.first + packages.count; ++p) {
        const PackagePlan& plan = data.package_plans[p];
        const std::pair<const char*, RuleRange> lists[] = {{"deny", plan.deny},
                                                           {"require_approval", plan.require_approval},
                                                           {"allow", plan.allow},
                                                           {"answers", plan.answers},
                                                           {"obligations", plan.obligations}};
        for (const auto& [kind, range] : lists) {
          if (range.entries.count == 0 || !seen.insert({plan.package, range.entries.first}).second) continue;
          out.push_back({name, stage, data.packages[plan.package].name, kind, range});
        }
      }
    }
  }
  return out;
}

std::string_view why(PlanNote note) {
  switch (note) {
    case PlanNote::indexed:
      return "indexed";
    case PlanNote::few_rules:
      return "the rules are so few that trying them is faster";
    case PlanNote::no_test:
      return "its condition has no test of one fact that must hold (==, in, <, startsWith, has ...)";
    case PlanNote::too_wide:
      return "it names so many combinations of values that the index would outgrow the rules";
  }
  return "?";
}

std::string number_text(Kind kind, uint64_t key) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  switch (kind) {
    case Kind::boolean:
      return (key ^ kSign) != 0 ? "true" : "false";
    case Kind::unsigned_integer:
      return fmt::format("{}u", key);
    case Kind::floating:
      return fmt::format("{}", std::bit_cast<double>((key & kSign) != 0 ? key & ~kSign : ~key));
    case Kind::timestamp:
      return format_timestamp(static_cast<int64_t>(key ^ kSign), 0);
    case Kind::duration:
      return fmt::format("{}s", static_cast<int64_t>(key ^ kSign));
    default:
      return fmt::format("{}", static_cast<int64_t>(key ^ kSign));
  }
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

class PlanWriter {
 public:
  PlanWriter(const Program& program, size_t most) : data_(program.data()), most_(most) {}

  std::string test(const PlanNode& node) const {
    const std::string& slot = data_.schema.slots[node.slot].path;
    switch (node.test) {
      case PlanTest::symbol:
      case PlanTest::number:
        return slot;
      case PlanTest::member:
        return "members of " + slot;
      case PlanTest::threshold:
        return fmt::format("{} < {}", slot, number_text(kind(node), node.bound));
      case PlanTest::present:
        return fmt::format("has({})", slot);
      case PlanTest::text:
        return "texts within " + slot;
      case PlanTest::leaf:
        break;
    }
    return "rules";
  }

  std::string key(const PlanNode& node, uint64_t key) const {
    switch (node.test) {
      case PlanTest::symbol:
        return quoted(data_.symbols[key - 1]);
      case PlanTest::member:
        return quoted(data_.symbols[data_.schema.slots[node.slot].member_symbols[key] - 1]);
      case PlanTest::number:
        return number_text(kind(node), key);
      case PlanTest::threshold:
        return key == 0 ? "yes" : "no";
      case PlanTest::present:
        return key == 0 ? "no" : "yes";
      default:
        return literal(data_.plan_literals[key]);
    }
  }

  std::string leaf(const PlanNode& node) const {
    std::string out;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      if (i == most_) return out + fmt::format(", ... {} rules", node.edges.count);
      const PlanLeaf& leaf = data_.plan_leaves[node.edges.first + i];
      out += fmt::format("{}{}{}", i == 0 ? "" : ", ", rule(leaf.entry).name, leaf.sure ? " (sure)" : "");
    }
    return out;
  }

  const RuleInfo& rule(uint32_t entry) const { return data_.rules[data_.rule_codes[data_.plan[entry]].rule]; }
  const PlanNode& node(uint32_t number) const { return data_.plan_nodes[number]; }
  const PlanEdge& edge(const PlanNode& node, uint32_t i) const { return data_.plan_edges[node.edges.first + i]; }
  uint32_t shown(const PlanNode& node) const {
    return static_cast<uint32_t>(std::min<size_t>(node.edges.count, most_));
  }
  const ProgramData& data() const { return data_; }

 private:
  Kind kind(const PlanNode& node) const { return kind_of(*data_.schema.slots[node.slot].type); }
  std::string literal(const PlanLiteral& literal) const {
    static constexpr const char* kWhere[] = {"", "begins with ", "ends with "};
    return fmt::format("{}{}{}", kWhere[literal.where], quoted(data_.constants[literal.constant].as_text()),
                       literal.ignore_case ? " in any case" : "");
  }

  const ProgramData& data_;
  const size_t most_;
};

std::string heading(const PlannedRange& range) {
  return fmt::format("{} {}: package {}, {}", to_string(range.stage), range.capability,
                     range.package.empty() ? "(none)" : range.package, range.kind);
}

size_t depth_of(const ProgramData& data, Range nodes) {
  std::vector<size_t> depth(nodes.count);
  for (uint32_t i = nodes.count; i-- > 0;) {
    const PlanNode& node = data.plan_nodes[nodes.first + i];
    if (node.test != PlanTest::leaf) {
      for (uint32_t e = 0; e < node.edges.count; ++e) {
        depth[i] = std::max(depth[i], depth[data.plan_edges[node.edges.first + e].node - nodes.first] + 1);
      }
    }
    if (node.next != kNone) depth[i] = std::max(depth[i], depth[node.next - nodes.first]);
  }
  return nodes.count == 0 ? 0 : depth[0];
}

PlanSummary summary_of(const ProgramData& data, const PlannedRange& planned) {
  PlanSummary out;
  out.capability = planned.capability;
  out.stage = planned.stage;
  out.package = planned.package;
  out.kind = planned.kind;
  const auto& [entries, nodes] = planned.range;
  out.rules = entries.count;
  out.nodes = nodes.count;
  for (uint32_t i = 0; i < nodes.count; ++i) {
    const PlanNode& node = data.plan_nodes[nodes.first + i];
    if (node.test != PlanTest::leaf) out.edges += node.edges.count;
  }
  out.depth = depth_of(data, nodes);
  for (uint32_t i = entries.first; i < entries.first + entries.count; ++i) {
    if (data.plan_notes[i] == PlanNote::indexed) continue;
    out.unindexed.push_back({data.rule_codes[data.plan[i]].rule, std::string(why(data.plan_notes[i]))});
  }
  return out;
}

// Nodes with several ways to them are written once.
class TextWriter {
 public:
  TextWriter(const Program& program, size_t most) : plan_(program, most) {}

  std::string write() {
    for (const PlannedRange& planned : ranges_of(plan_.data())) range(planned);
    return fmt::to_string(out_);
  }

 private:
  template <typename... Args>
  void line(size_t indent, fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), "{:{}}", "", 2 * indent);
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
    out_.push_back('\n');
  }

  void range(const PlannedRange& planned) {
    const PlanSummary summary = summary_of(plan_.data(), planned);
    line(0, "{}", heading(planned));
    if (summary.nodes == 0) {
      line(1, "{}{}", summary.rules, summary.rules == 1 ? " rule, always tried" : " rules, tried one after another");
    } else {
      line(1, "{} rules, {} nodes, {} edges, at most {} tests deep", summary.rules, summary.nodes, summary.edges,
           summary.depth);
      nodes(planned.range.nodes.first, 1);
    }
    unindexed(summary);
    out_.push_back('\n');
  }

  void nodes(uint32_t number, size_t indent) {
    for (; number != kNone; number = plan_.node(number).next) {
      const PlanNode& node = plan_.node(number);
      if (node.test == PlanTest::leaf) {
        line(indent, "try {}", plan_.leaf(node));
        continue;
      }
      line(indent, "{}?{}", plan_.test(node), node.absent ? " (absent: all of it)" : "");
      for (uint32_t i = 0; i < plan_.shown(node); ++i) edge(node, i, indent + 1);
      if (plan_.shown(node) < node.edges.count) line(indent + 1, "... {} in all", node.edges.count);
    }
  }

  void edge(const PlanNode& from, uint32_t i, size_t indent) {
    const PlanEdge& edge = plan_.edge(from, i);
    const PlanNode& to = plan_.node(edge.node);
    const std::string key = plan_.key(from, edge.key);
    if (to.test == PlanTest::leaf && to.next == kNone) return line(indent, "{}: try {}", key, plan_.leaf(to));
    if (!written_.insert(edge.node).second) return line(indent, "{}: node {} above", key, edge.node);
    line(indent, "{}: node {}", key, edge.node);
    nodes(edge.node, indent + 1);
  }

  void unindexed(const PlanSummary& summary) {
    if (summary.nodes == 0) return;
    for (const PlanSummary::Unindexed& rule : summary.unindexed) {
      line(1, "not indexed: {}: {}", plan_.data().rules[rule.rule].name, rule.why);
    }
  }

  PlanWriter plan_;
  std::set<uint32_t> written_;
  fmt::memory_buffer out_;
};

class GraphWriter {
 public:
  GraphWriter(const Program& program, size_t most) : plan_(program, most) {}

  std::string write() {
    print("digraph plan {{\n  rankdir=LR; node [shape=box, fontname=\"sans-serif\"];\n");
    size_t number = 0;
    for (const PlannedRange& planned : ranges_of(plan_.data())) {
      const std::string root = fmt::format("range{}", number++);
      print("  {} [label={}, style=bold];\n", root, quoted(heading(planned)));
      if (planned.range.nodes.count == 0) {
        print("  {0}_all [label=\"try {1} rules\"];\n  {0} -> {0}_all;\n", root, planned.range.entries.count);
      } else {
        link(root, planned.range.nodes.first, "");
      }
    }
    print("}}\n");
    return fmt::to_string(out_);
  }

 private:
  template <typename... Args>
  void print(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
  }

  // An edge to a node and to those that are visited with it.
  void link(const std::string& from, uint32_t number, const std::string& label) {
    for (; number != kNone; number = plan_.node(number).next) {
      print("  {} -> n{} [label={}];\n", from, number, quoted(label));
      node(number);
    }
  }

  void node(uint32_t number) {
    if (!written_.insert(number).second) return;
    const PlanNode& node = plan_.node(number);
    const bool leaf = node.test == PlanTest::leaf;
    print("  n{} [label={}];\n", number, quoted(leaf ? plan_.leaf(node) : plan_.test(node) + "?"));
    if (leaf) return;
    for (uint32_t i = 0; i < plan_.shown(node); ++i) {
      const PlanEdge& edge = plan_.edge(node, i);
      link(fmt::format("n{}", number), edge.node, plan_.key(node, edge.key));
    }
  }

  PlanWriter plan_;
  std::set<uint32_t> written_;
  fmt::memory_buffer out_;
};

}  // namespace

std::vector<PlanSummary> summarise_plan(const Program& program) {
  std::vector<PlanSummary> out;
  for (const PlannedRange& planned : ranges_of(program.data())) out.push_back(summary_of(program.data(), planned));
  return out;
}

std::string describe_test(const Program& program, uint32_t node) {
  const PlanWriter plan(program, 0);
  return plan.test(plan.node(node));
}

std::string describe_plan(const Program& program, size_t most) { return TextWriter(program, most).write(); }
std::string plan_graph(const Program& program, size_t most) { return GraphWriter(program, most).write(); }

}  // namespace ordain
