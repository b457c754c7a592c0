// local_state.cc opens a store in memory and its meter.
#include "analysis/local_state.h"

#include <utility>

#include "runtime/state/store.h"
#include "runtime/state/zones.h"

namespace ordain::detail {

Result<LocalState> LocalState::make(std::shared_ptr<const Program> program, state::StoreOptions options,
                                    std::string_view snapshot) {
  options.zone_offset = state::zones_of(*program);
  auto store = state::Store::make_local(std::move(options), snapshot);
  if (!store.ok()) return store.error();
  LocalState out;
  out.store = std::move(*store);
  auto meter = state::Meter::make(std::move(program), *out.store);
  if (!meter.ok()) return meter.error();
  out.meter.emplace(std::move(*meter));
  return out;
}

}  // namespace ordain::detail
