// Writes an index for people: slots, symbols and rules get their names, and order keys become
// numbers again.
#include "ordain/index_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <set>

#include "ordain/json.h"
#include "ordain/terminal_text.h"
#include "ordain/time_text.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

/// One list of rules, with the facts for its heading.
struct IndexedRange {
  std::string capability;
  Stage stage = Stage::before;
  std::string package;
  const char* kind = "";
  RuleRange range;
};

std::vector<IndexedRange> ranges_of(const ProgramData& data) {
  std::vector<IndexedRange> out;
  std::set<std::pair<uint32_t, uint32_t>> seen;  // package, first entry
  const auto add = [&](CapabilityId id, const std::string& name) {
    for (const Stage stage : {Stage::before, Stage::after}) {
      for (const PackageRules& package : package_rules(data, id, stage)) {
        for (const RuleListInfo& list : kRuleLists) {
          const RuleRange& range = package.*list.member;
          if (range.entries.count == 0 || !seen.insert({package.package, range.entries.first}).second) continue;
          out.push_back({name, stage, data.packages[package.package].name, list.name, range});
        }
      }
    }
  };
  for (CapabilityId id = 0; id < data.schema.capabilities.size(); ++id) add(id, data.schema.capabilities[id].name);
  add(kNone, "(undeclared)");
  return out;
}

std::string_view why(IndexNote note) {
  switch (note) {
    case IndexNote::indexed:
      return "indexed";
    case IndexNote::few_rules:
      return "the rules are so few that trying them is faster";
    case IndexNote::no_test:
      return "its condition has no test of one fact that must hold (==, in, <, startsWith, has ...)";
    case IndexNote::too_wide:
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
  return terminal_text(out);
}

class IndexWriter {
 public:
  IndexWriter(const Program& program, size_t most) : data_(data_of(program)), most_(most) {}

  std::string test(const IndexNode& node) const {
    const std::string& slot = data_.schema.slots[node.slot].path;
    switch (node.test) {
      case IndexTest::symbol:
      case IndexTest::number:
        return slot;
      case IndexTest::member:
        return "members of " + slot;
      case IndexTest::threshold:
        return fmt::format("{} < {}", slot, number_text(kind(node), node.bound));
      case IndexTest::present:
        return fmt::format("has({})", slot);
      case IndexTest::text:
        return "texts within " + slot;
      case IndexTest::network:
        return "networks of " + slot;
      case IndexTest::interval:
        return "bounds of " + slot;
      case IndexTest::leaf:
        break;
    }
    return "rules";
  }

  std::string key(const IndexNode& node, uint64_t key) const {
    switch (node.test) {
      case IndexTest::symbol:
        return quoted(data_.symbols[key - 1]);
      case IndexTest::member:
        return quoted(data_.symbols[data_.schema.slots[node.slot].member_symbols[key] - 1]);
      case IndexTest::number:
        return number_text(kind(node), key);
      case IndexTest::threshold:
        return key == 0 ? "yes" : "no";
      case IndexTest::present:
        return key == 0 ? "no" : "yes";
      case IndexTest::network:
        return to_json(data_.constants[key]);
      case IndexTest::interval:
        return key == 0 ? "from the least" : "from " + number_text(kind(node), key);
      default:
        return literal(data_.index_literals[key]);
    }
  }

  std::string leaf(const IndexNode& node) const {
    if (node.edges.count == 0) return "nothing";
    std::string out;
    for (uint32_t i = 0; i < node.edges.count; ++i) {
      if (i == most_) return out + fmt::format(", ... {} rules", node.edges.count);
      const IndexLeaf& leaf = data_.index_leaves[node.edges.first + i];
      out += fmt::format("{}{}{}", i == 0 ? "" : ", ", rule(leaf.entry).name, leaf.sure ? " (sure)" : "");
    }
    return out;
  }

  const RuleInfo& rule(uint32_t entry) const { return data_.rules[data_.rule_codes[data_.rule_list[entry]].rule]; }
  const IndexNode& node(uint32_t number) const { return data_.index_nodes[number]; }
  const IndexEdge& edge(const IndexNode& node, uint32_t i) const { return data_.index_edges[node.edges.first + i]; }
  uint32_t count_shown(const IndexNode& node) const {
    return static_cast<uint32_t>(std::min<size_t>(node.edges.count, most_));
  }
  const ProgramData& data() const { return data_; }

 private:
  Kind kind(const IndexNode& node) const { return kind_of(*data_.schema.slots[node.slot].type); }
  std::string literal(const IndexLiteral& literal) const {
    static constexpr const char* kWhere[] = {"", "begins with ", "ends with "};
    return fmt::format("{}{}{}", kWhere[literal.where], quoted(data_.constants[literal.constant].as_text()),
                       literal.ignore_case ? " in any case" : "");
  }

  const ProgramData& data_;
  const size_t most_;
};

std::string heading(const IndexedRange& range) {
  return fmt::format("{} {}: package {}, {}", to_string(range.stage), range.capability,
                     range.package.empty() ? "(none)" : range.package, range.kind);
}

size_t depth_of(const ProgramData& data, Range nodes) {
  std::vector<size_t> depth(nodes.count);
  for (uint32_t i = nodes.count; i-- > 0;) {
    const IndexNode& node = data.index_nodes[nodes.first + i];
    if (node.test != IndexTest::leaf) {
      for (uint32_t e = 0; e < node.edges.count; ++e) {
        depth[i] = std::max(depth[i], depth[data.index_edges[node.edges.first + e].node - nodes.first] + 1);
      }
    }
    if (node.next != kNone) depth[i] = std::max(depth[i], depth[node.next - nodes.first]);
  }
  return nodes.count == 0 ? 0 : depth[0];
}

IndexSummary summary_of(const ProgramData& data, const IndexedRange& indexed) {
  IndexSummary out;
  out.capability = indexed.capability;
  out.stage = indexed.stage;
  out.package = indexed.package;
  out.kind = indexed.kind;
  const auto& [entries, nodes] = indexed.range;
  out.rules = entries.count;
  out.nodes = nodes.count;
  for (uint32_t i = 0; i < nodes.count; ++i) {
    const IndexNode& node = data.index_nodes[nodes.first + i];
    if (node.test != IndexTest::leaf) out.edges += node.edges.count;
  }
  out.depth = depth_of(data, nodes);
  for (uint32_t i = entries.first; i < entries.first + entries.count; ++i) {
    if (data.index_notes[i] == IndexNote::indexed) continue;
    out.unindexed.push_back({data.rule_codes[data.rule_list[i]].rule, std::string(why(data.index_notes[i]))});
  }
  return out;
}

// Writes a node that several paths reach only once.
class TextWriter {
 public:
  TextWriter(const Program& program, size_t most) : index_(program, most) {}

  std::string write() {
    for (const IndexedRange& indexed : ranges_of(index_.data())) range(indexed);
    shared_lets();
    return fmt::to_string(out_);
  }

 private:
  // A let that differs between capabilities has several entries.
  void shared_lets() {
    std::set<std::string> names;
    for (const SharedLet& let : index_.data().shared_lets) names.insert(let.name);
    if (names.empty()) return;
    line(0, "lets computed at most once in a decision: {}", fmt::join(names, ", "));
  }

  template <typename... Args>
  void line(size_t indent, fmt::format_string<Args...> text, Args&&... args) {
    const std::string shown = terminal_text(fmt::format(text, std::forward<Args>(args)...));
    fmt::format_to(std::back_inserter(out_), "{:{}}{}\n", "", 2 * indent, shown);
  }

  void range(const IndexedRange& indexed) {
    const IndexSummary summary = summary_of(index_.data(), indexed);
    line(0, "{}", heading(indexed));
    if (summary.nodes == 0) {
      line(1, "{}{}", summary.rules, summary.rules == 1 ? " rule, always tried" : " rules, tried one after another");
    } else {
      line(1, "{} rules, {} nodes, {} edges, at most {} tests deep", summary.rules, summary.nodes, summary.edges,
           summary.depth);
      nodes(indexed.range.nodes.first, 1);
    }
    unindexed(summary);
    out_.push_back('\n');
  }

  void nodes(uint32_t number, size_t indent) {
    for (; number != kNone; number = index_.node(number).next) {
      const IndexNode& node = index_.node(number);
      if (node.test == IndexTest::leaf) {
        line(indent, "try {}", index_.leaf(node));
        continue;
      }
      line(indent, "{}?{}", index_.test(node), node.absent ? " (absent: all of it)" : "");
      for (uint32_t i = 0; i < index_.count_shown(node); ++i) edge(node, i, indent + 1);
      if (index_.count_shown(node) < node.edges.count) line(indent + 1, "... {} in all", node.edges.count);
    }
  }

  void edge(const IndexNode& from, uint32_t i, size_t indent) {
    const IndexEdge& edge = index_.edge(from, i);
    const IndexNode& to = index_.node(edge.node);
    const std::string key = index_.key(from, edge.key);
    if (to.test == IndexTest::leaf && to.next == kNone) return line(indent, "{}: try {}", key, index_.leaf(to));
    if (!written_.insert(edge.node).second) return line(indent, "{}: node {} above", key, edge.node);
    line(indent, "{}: node {}", key, edge.node);
    nodes(edge.node, indent + 1);
  }

  void unindexed(const IndexSummary& summary) {
    if (summary.nodes == 0) return;
    for (const IndexSummary::Unindexed& rule : summary.unindexed) {
      line(1, "not indexed: {}: {}", index_.data().rules[rule.rule].name, rule.why);
    }
  }

  IndexWriter index_;
  std::set<uint32_t> written_;
  fmt::memory_buffer out_;
};

class GraphWriter {
 public:
  GraphWriter(const Program& program, size_t most) : index_(program, most) {}

  std::string write() {
    print("digraph plan {{\n  rankdir=LR; node [shape=box, fontname=\"sans-serif\"];\n");
    size_t number = 0;
    for (const IndexedRange& indexed : ranges_of(index_.data())) {
      const std::string root = fmt::format("range{}", number++);
      print("  {} [label={}, style=bold];\n", root, quoted(heading(indexed)));
      if (indexed.range.nodes.count == 0) {
        print("  {0}_all [label=\"try {1} rules\"];\n  {0} -> {0}_all;\n", root, indexed.range.entries.count);
      } else {
        link(root, indexed.range.nodes.first, "");
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

  // Writes an edge to a node and to the nodes that are visited with it.
  void link(const std::string& from, uint32_t number, const std::string& label) {
    for (; number != kNone; number = index_.node(number).next) {
      print("  {} -> n{} [label={}];\n", from, number, quoted(label));
      node(number);
    }
  }

  void node(uint32_t number) {
    if (!written_.insert(number).second) return;
    const IndexNode& node = index_.node(number);
    const bool leaf = node.test == IndexTest::leaf;
    print("  n{} [label={}];\n", number, quoted(leaf ? index_.leaf(node) : index_.test(node) + "?"));
    if (leaf) return;
    for (uint32_t i = 0; i < index_.count_shown(node); ++i) {
      const IndexEdge& edge = index_.edge(node, i);
      link(fmt::format("n{}", number), edge.node, index_.key(node, edge.key));
    }
  }

  IndexWriter index_;
  std::set<uint32_t> written_;
  fmt::memory_buffer out_;
};

}  // namespace

std::vector<IndexSummary> summarise_index(const Program& program) {
  std::vector<IndexSummary> out;
  for (const IndexedRange& indexed : ranges_of(data_of(program))) out.push_back(summary_of(data_of(program), indexed));
  return out;
}

std::string describe_test(const Program& program, uint32_t node) {
  const IndexWriter writer(program, 0);
  return writer.test(writer.node(node));
}

std::string describe_index(const Program& program, size_t most) { return TextWriter(program, most).write(); }
std::string index_graph(const Program& program, size_t most) { return GraphWriter(program, most).write(); }

}  // namespace ordain
