// model.h holds what the server knows of a set of policies: the trees of its files, its declarations,
// and where each name is defined and used.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "compiler/check/schema/state.h"
#include "compiler/parse/syntax.h"
#include "lsp/symbols.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"
#include "ordain/function.h"

namespace ordain::lsp {

/// A file's tree, with the parts that could be read. Its spans name the file's number in the set.
struct ParsedFile {
  std::shared_ptr<const Source> source;
  uint32_t file = 0;
  Arena arena;
  syntax::File tree;
  bool broken = false;  ///< there were mistakes
};

/// Trees of earlier models, by path: a file is parsed again only if its text or its number changed.
using ParseCache = std::map<std::string, std::shared_ptr<const ParsedFile>>;

class SetModel {
 public:
  SetModel(std::vector<std::shared_ptr<const Source>> sources, ParseCache& cache, const FunctionTable& functions);

  const std::vector<std::shared_ptr<const Source>>& sources() const& { return sources_; }
  const std::vector<std::shared_ptr<const Source>>& sources() const&& = delete;
  const std::vector<syntax::File>& files() const& { return files_; }
  const std::vector<syntax::File>& files() const&& = delete;
  /// The number of the policy file with this text; nullopt if the set does not have it.
  std::optional<uint32_t> find_file(const Source& source) const;
  /// Whether a file has syntax errors, so that names may be used where no tree shows it.
  bool has_broken_files() const { return broken_; }
  const SymbolIndex& symbols() const& { return symbols_; }
  const SymbolIndex& symbols() const&& = delete;
  const FunctionTable& functions() const { return functions_; }

  /// The record that a name of the call's facts stands for, without `input` and `output`; nullptr if there is none.
  const policy::Root* find_root(std::string_view name) const&;
  const std::vector<policy::Root>& roots() const& { return schema_->roots; }
  const std::vector<policy::Root>& roots() const&& = delete;
  /// The declared capabilities.
  const std::vector<policy::CapabilityShape>& shapes() const& { return schema_->shapes; }
  const std::vector<policy::CapabilityShape>& shapes() const&& = delete;
  const policy::CapabilityShape* find_shape(std::string_view capability) const&;

  /// The type of a `let`, if a rule or a test uses it; otherwise "". Checks the set when it is called first.
  std::string type_of_let(const std::string& qualified);
  /// How many values the data file has that gives a `let` its value; nullopt if the `let` whose name has this place has
  /// no data file.
  std::optional<size_t> data_values(const Span& name);
  /// The type of the smallest expression of a rule around a byte; "" if there is none.
  std::string type_at(uint32_t file, size_t offset);

 private:
  void check_types();

  std::vector<std::shared_ptr<const Source>> sources_;
  std::vector<std::shared_ptr<const ParsedFile>> parsed_;
  std::vector<syntax::File> files_;
  Diagnostics scratch_;  // what this model's passes report, which nobody reads
  Arena arena_;
  std::unique_ptr<policy::SchemaState> schema_;
  SymbolIndex symbols_;
  const FunctionTable& functions_;
  bool broken_ = false;

  bool checked_ = false;
  std::vector<syntax::File> checked_files_;
  typed::PolicySet set_;
};

}  // namespace ordain::lsp
