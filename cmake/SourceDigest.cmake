# Writes the header OUTPUT with a digest of FILES, which changes when one of the files does.
set(digests "")
foreach(file ${FILES})
  file(SHA256 ${file} digest)
  string(APPEND digests "${digest}\n")
endforeach()
string(SHA256 digest "${digests}")
file(WRITE ${OUTPUT} "// Made by SourceDigest.cmake.
#pragma once

inline constexpr char kNativeSources[] = \"${digest}\";
")
