// Indexes rules. Many capabilities are decided by the same rules, so a DAG is built once for
// each sequence of rule bodies.
#include "compiler/index/index.h"

#include <map>
#include <utility>

#include "ordain/eval.h"

namespace ordain::indexing {
namespace {

class Indexer {
 public:
  explicit Indexer(const typed::PolicySet& set) : set_(set) {}

  Index run() {
    for (size_t stage = 0; stage < 2; ++stage) {
      for (const typed::RuleList& list : set_.lists[stage]) out_.packages[stage].push_back(packages_of(list));
    }
    return std::move(out_);
  }

 private:
  RuleKind kind_of(const typed::RuleBody& body) const { return set_.rules[body.rule].kind; }

  std::vector<IndexedPackage> packages_of(const typed::RuleList& list) {
    std::map<uint32_t, std::vector<uint32_t>> places;  // by package
    for (uint32_t place = 0; place < list.rules.size(); ++place) {
      const typed::RuleBody& body = *list.rules[place];
      if (!never_applies(body)) places[set_.rule_packages[body.rule]].push_back(place);
    }
    std::vector<IndexedPackage> out;
    for (const auto& [package, all] : places) out.push_back(index_package(package, list, all));
    return out;
  }

  IndexedPackage index_package(uint32_t package, const typed::RuleList& list, const std::vector<uint32_t>& places) {
    IndexedPackage out{.package = package, .first_match = set_.packages[package].first_match, .lists = {}};
    for (size_t i = 0; i < kRuleLists.size(); ++i) {
      if (!kRuleLists[i].is_used(out.first_match)) continue;
      for (const uint32_t place : places) {
        if (kRuleLists[i].holds(kind_of(*list.rules[place]))) out.lists[i].places.push_back(place);
      }
      out.lists[i].dag = dag_of(list, out.lists[i].places, package);
    }
    return out;
  }

  // Rules of one package stand in a list, so that lists of the same rules have the same budget.
  uint32_t dag_of(const typed::RuleList& list, const std::vector<uint32_t>& places, uint32_t package) {
    std::vector<const typed::RuleBody*> bodies;
    bodies.reserve(places.size());
    for (const uint32_t place : places) bodies.push_back(list.rules[place]);
    const auto [known, is_new] = dags_.try_emplace(std::move(bodies), static_cast<uint32_t>(out_.dags.size()));
    if (is_new) out_.dags.push_back(build(known->first, package));
    return known->second;
  }

  Dag build(const std::vector<const typed::RuleBody*>& bodies, uint32_t package) const {
    std::vector<Rule> rules;
    rules.reserve(bodies.size());
    for (const typed::RuleBody* body : bodies) {
      const RuleKind kind = kind_of(*body);
      rules.push_back({body, kind != RuleKind::allow && kind != RuleKind::warn});
    }
    const uint32_t budget = set_.packages[package].budget;
    return build_dag(rules, set_.schema, budget != 0 ? budget : Budget().cost);
  }

  const typed::PolicySet& set_;
  std::map<std::vector<const typed::RuleBody*>, uint32_t> dags_;
  Index out_;
};

}  // namespace

Index index_rules(const typed::PolicySet& set) { return Indexer(set).run(); }

}  // namespace ordain::indexing
