// This test compiles <ordain/c.h> in C++ beside <ordain/ordain.h>, and checks that it never throws.
#include <ordain/c.h>
#include <ordain/ordain.h>

static_assert(noexcept(ordain_open(nullptr, 0, nullptr, nullptr, nullptr)));
static_assert(noexcept(ordain_decide(nullptr, nullptr, nullptr, nullptr, nullptr)));
static_assert(noexcept(ordain_close(nullptr)));
static_assert(noexcept(ordain_runtime_open(nullptr, 0, nullptr, nullptr)));
static_assert(noexcept(ordain_begun_finish(nullptr, nullptr, nullptr, nullptr)));
// A struct of zeros must deny, reject, and leave open what a call has done.
static_assert(ORDAIN_DENY == 0);
static_assert(ordain_decision{}.effect == ORDAIN_DENY && ordain_options{}.default_before == ORDAIN_DENY);
static_assert(ordain_call{}.stage == ORDAIN_BEFORE);
static_assert(ordain_vote{}.verdict == ORDAIN_REJECT && ordain_outcome{}.ending == ORDAIN_FAILED);
