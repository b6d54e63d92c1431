#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| banneret_fuzz::smtp::ehlo_reply(data));
