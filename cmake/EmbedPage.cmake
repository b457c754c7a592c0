# Writes a document as a C++ file:
#   cmake -DPAGE=docs/x.md -DHEADER=x.h -DNAMESPACE=ordain::cli -DFUNCTION=x -DOUT=x.cc -P EmbedPage.cmake
# The text becomes one raw string for each part that begins with a heading "## ", since compilers need
# not accept longer ones.
file(READ "${PAGE}" text)
string(REPLACE "\n## " "\n)page\",\n    R\"page(## " text "${text}")
file(WRITE "${OUT}" "#include \"${HEADER}\"

namespace ${NAMESPACE} {

static constexpr std::string_view kPieces[] = {
    R\"page(${text})page\"};

std::span<const std::string_view> ${FUNCTION}() { return kPieces; }

}  // namespace ${NAMESPACE}
")
