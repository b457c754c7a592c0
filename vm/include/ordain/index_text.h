// The index of a Program (its decision DAG), as text and as a graph for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ordain/export.h"
#include "ordain/program.h"

namespace ordain {

/// Figures about one list of rules and the tests that lead to them.
struct IndexSummary {
  std::string capability;  ///< "(undeclared)" for all that the program does not declare
  Stage stage = Stage::before;
  std::string package;
  std::string kind;  ///< "deny", "require_approval", "allow", "answers" (first match), "obligations"
  size_t rules = 0;
  size_t nodes = 0;  ///< 0: the rules are tried one after another
  size_t edges = 0;
  size_t depth = 0;  ///< tests on the longest path to a rule
  struct Unindexed {
    RuleId rule = 0;
    std::string why;
  };
  std::vector<Unindexed> unindexed;  ///< rules that no test of the index leads to
};

/// Summarises every capability, stage and package that has rules, in the program's order. Identical
/// lists are reported once.
ORDAIN_API std::vector<IndexSummary> summarise_index(const Program& program);

/// Describes what a node of the index (an entry of ProgramData::index_nodes) tests: "input.to",
/// "has(input.note)", "input.n < 5".
ORDAIN_API std::string describe_test(const Program& program, uint32_t node);

/// Writes the index as indented text. @param most the most edges shown of a node, and the most
/// rules of a leaf.
ORDAIN_API std::string describe_index(const Program& program, size_t most);

/// Writes the same as a graph in the Graphviz language.
ORDAIN_API std::string index_graph(const Program& program, size_t most);

}  // namespace ordain
