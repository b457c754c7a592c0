// model.cc parses the files of a set and runs the passes over declarations.
#include "lsp/model.h"

#include <algorithm>
#include <utility>

#include "compiler/check/policy/check.h"
#include "compiler/data_files.h"
#include "compiler/parse/parse.h"

namespace ordain::lsp {
namespace {

std::shared_ptr<const ParsedFile> parse_file(const std::vector<std::shared_ptr<const Source>>& sources, uint32_t file) {
  auto out = std::make_shared<ParsedFile>();
  out->source = sources[file];
  out->file = file;
  Diagnostics diagnostics;
  diagnostics.sources = sources;
  out->tree = parse(out->arena, diagnostics, file);
  out->broken = diagnostics.has_errors();
  return out;
}

// Calls `visit` for the trees of all clauses of rules.
template <typename Visit>
void visit_clauses(const typed::PolicySet& set, Visit visit) {
  for (const auto& stage : set.lists) {
    for (const typed::RuleList& list : stage) {
      for (const typed::RuleBody* body : list.rules) {
        for (const typed::Expression* clause :
             {&body->when, &body->because, &body->from, &body->expires, &body->with}) {
          if (clause->root != nullptr) visit(*clause->root);
        }
      }
    }
  }
}

const typed::Node* find_let_node(const typed::Node& node, uint32_t let) {
  if (node.of_let == let) return &node;
  for (const typed::Node* child : node.args) {
    if (child == nullptr) continue;
    if (const typed::Node* found = find_let_node(*child, let)) return found;
  }
  return nullptr;
}

// The smallest node around the byte. Nodes of lets lie elsewhere than their use.
void find_smallest(const typed::Node& node, uint32_t file, size_t offset, const typed::Node** best) {
  const Span& span = node.span;
  const bool here = span.file == file && span.begin <= offset && offset < span.end;
  if (here && (*best == nullptr || span.end - span.begin <= (*best)->span.end - (*best)->span.begin)) *best = &node;
  for (const typed::Node* child : node.args) {
    if (child != nullptr) find_smallest(*child, file, offset, best);
  }
}

}  // namespace

SetModel::SetModel(std::vector<std::shared_ptr<const Source>> sources, ParseCache& cache,
                   const FunctionTable& functions)
    : sources_(std::move(sources)), functions_(functions) {
  scratch_.sources = sources_;
  ParseCache kept;
  for (uint32_t file = 0; file < sources_.size(); ++file) {
    if (sources_[file]->is_data) continue;
    const auto known = cache.find(sources_[file]->path);
    const bool same = known != cache.end() && known->second->source == sources_[file] && known->second->file == file;
    parsed_.push_back(same ? known->second : parse_file(sources_, file));
    kept[sources_[file]->path] = parsed_.back();
    files_.push_back(parsed_.back()->tree);
    broken_ = broken_ || parsed_.back()->broken;
  }
  cache = std::move(kept);
  schema_ = std::make_unique<policy::SchemaState>(policy::SchemaState{arena_, scratch_, files_});
  policy::declare_roots(*schema_);
  policy::check_contexts(*schema_);
  policy::check_capabilities(*schema_);
  policy::finish_roots(*schema_);
  symbols_ = SymbolIndex(files_, sources_);
}

std::optional<uint32_t> SetModel::find_file(const Source& source) const {
  for (uint32_t file = 0; file < files_.size(); ++file) {
    if (sources_[file].get() == &source) return file;
  }
  return std::nullopt;
}

const policy::Root* SetModel::find_root(std::string_view name) const& {
  for (const policy::Root& root : schema_->roots) {
    if (root.name == name) return &root;
  }
  return nullptr;
}

const policy::CapabilityShape* SetModel::find_shape(std::string_view capability) const& {
  const auto found = schema_->capability_ids.find(std::string(capability));
  return found == schema_->capability_ids.end() ? nullptr : &schema_->shapes[found->second];
}

void SetModel::check_types() {
  if (checked_) return;
  checked_ = true;
  checked_files_ = files_;
  read_data_files(arena_, scratch_, checked_files_);
  set_ = check(arena_, scratch_, checked_files_, functions_);
}

std::string SetModel::type_of_let(const std::string& qualified) {
  check_types();
  const auto found = std::find(set_.lets.begin(), set_.lets.end(), qualified);
  if (found == set_.lets.end()) return "";
  const auto let = static_cast<uint32_t>(found - set_.lets.begin());
  const typed::Node* node = nullptr;
  visit_clauses(set_, [&](const typed::Node& root) {
    if (node == nullptr) node = find_let_node(root, let);
  });
  return node != nullptr && node->type->kind != TypeKind::error ? to_string(*node->type) : "";
}

std::optional<size_t> SetModel::data_values(const Span& name) {
  if (name.file >= files_.size()) return std::nullopt;
  for (size_t i = 0; i < files_[name.file].lets.size(); ++i) {
    const syntax::LetDecl& let = files_[name.file].lets[i];
    if (let.name.span.begin != name.begin || let.data == nullptr) continue;
    check_types();
    const syntax::Expr* list = checked_files_[name.file].lets[i].value;
    return list != nullptr && list->value.is(Kind::list) ? list->value.as_list().size() : 0;
  }
  return std::nullopt;
}

std::string SetModel::type_at(uint32_t file, size_t offset) {
  check_types();
  const typed::Node* best = nullptr;
  visit_clauses(set_, [&](const typed::Node& root) { find_smallest(root, file, offset, &best); });
  if (best == nullptr || best->type->kind == TypeKind::error) return "";
  return to_string(*best->type);
}

}  // namespace ordain::lsp
