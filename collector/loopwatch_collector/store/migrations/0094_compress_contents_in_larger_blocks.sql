-- A megabyte holds dozens of conversations: what they have in common (prompts, phrases of tools) is stored once.
ALTER TABLE contents MODIFY SETTING min_compress_block_size = 1048576, max_compress_block_size = 1048576, default_compression_codec = 'ZSTD(3)'
