// Token ids of the lines of standard input, and what a file of weights holds, without torch:
//   tokenizer MODEL_DIRECTORY < lines
#include <filesystem>
#include <iostream>
#include <string>

#include "heed/base/error.h"
#include "heed/io.h"
#include "heed/text.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: " << arguments[0] << " MODEL_DIRECTORY < lines\n";
    return 2;
  }
  try {
    const std::filesystem::path directory = arguments[1];
    const auto tokenizer = heed::text::Tokenizer::load(directory / "tokenizer.json");
    for (std::string line; std::getline(std::cin, line);) {
      const heed::text::Encoding encoding = tokenizer.encode(line);
      for (size_t i = 0; i < encoding.ids.size(); ++i) {
        const heed::text::Span& span = encoding.offsets[i];  // bytes of the line
        std::cout << (i > 0 ? " " : "") << encoding.ids[i] << ':' << encoding.tokens[i] << '['
                  << span.begin << ',' << span.end << ')';
      }
      std::cout << "\n  " << tokenizer.decode(encoding.ids) << '\n';
    }
    const auto weights = heed::Safetensors::from_directory(directory);
    for (const heed::StoredTensor& tensor : weights.tensors()) {
      std::cout << tensor.name << ' ' << heed::dtype_name(tensor.dtype);
      for (const int64_t size : tensor.shape) std::cout << ' ' << size;
      std::cout << '\n';
    }
    return 0;
  } catch (const heed::Error& error) {  // a missing directory, a broken file, ...
    std::cerr << error.what() << '\n';
    return 1;
  }
}
