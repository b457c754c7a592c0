// Parses JSON text that is about to be bound, and builds only what binding looks at.
#include <algorithm>

#include "vm/facts/bind.h"
#include "vm/json/field_filter.h"

namespace ordain::vm {
namespace {

class RecordFilter final : public FieldFilter {
 public:
  explicit RecordFilter(const Schema& schema) : schema_(schema) {}

  // Returns `record` if anything below it may be left out, and nullptr otherwise.
  static const RecordBinding* prunable(const RecordBinding* record) {
    const bool keep = record == nullptr || record->dynamic || record->type == nullptr || record->whole != kNone;
    return keep ? nullptr : record;
  }

  // Filtering does not pay unless there must be more fields than are declared.
  bool may_leave_out(const void* record, size_t size) const override {
    return binding(record).open && size > binding(record).type->fields.size();
  }

  // Whether binding to an open record does more with a field than check it.
  bool needs(const void* opaque, std::string_view name, size_t* hint) const override {
    const RecordBinding& record = binding(opaque);
    if (find_from(*record.type, name, hint) != nullptr) return true;
    // Rules read undeclared fields by paths: "extra", "extra.id".
    const auto before = [](const FieldBinding& field, std::string_view text) { return field.name < text; };
    auto at = std::lower_bound(record.fields.begin(), record.fields.end(), name, before);
    for (; at != record.fields.end() && at->name.starts_with(name); ++at) {
      if (at->name.size() == name.size() || at->name[name.size()] == '.') return true;
    }
    return false;
  }

  // The filter below a field; nullptr, which leaves nothing out, if rules read the whole record.
  const void* below(const void* opaque, std::string_view name) const override {
    const RecordBinding& record = binding(opaque);
    const FieldBinding* field = record.find(name);
    if (field == nullptr || field->record == kNone || field->slot != kNone) return nullptr;
    return prunable(&schema_.records[field->record]);
  }

 private:
  static const RecordBinding& binding(const void* record) { return *static_cast<const RecordBinding*>(record); }

  const Schema& schema_;
};

}  // namespace

Result<Value> parse_json_for(Arena& arena, std::string_view text, const Schema& schema, const RecordBinding* record) {
  return parse_json_filtered(arena, text, RecordFilter(schema), RecordFilter::prunable(record));
}

}  // namespace ordain::vm
