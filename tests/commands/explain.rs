//! `banneret explain`.

use banneret::judge::explain::Subject;

use crate::cli::run;

#[test]
fn every_verdict_finding_and_topic_is_listed_and_explained() {
    let list = run(&["explain"]).fine();
    for subject in Subject::all() {
        let word = subject.as_str();
        assert!(list.lines().any(|line| line.trim_start().starts_with(word)), "{word}");
        let text = run(&["explain", word]).fine();
        assert!(text.starts_with(&format!("{word}\n\n")), "{text}");
    }
    for other_way in ["PTR-MISSING", "ptr_missing"] {
        assert!(run(&["explain", other_way]).fine().starts_with("ptr_missing\n"));
    }
}

#[test]
fn an_unknown_code_is_a_usage_error_with_near_matches() {
    assert_eq!(
        run(&["explain", "ptr_mising"]).wrong(2),
        "banneret: no verdict, finding, outcome or topic is called `ptr_mising`; did you mean `ptr_missing`?"
    );
    assert_eq!(
        run(&["explain", "xyzzy"]).wrong(2),
        "banneret: no verdict, finding, outcome or topic is called `xyzzy`; `banneret explain` lists all"
    );
    for (word, told) in [
        ("django", "did you mean `app_not_at_fault`?"),
        ("mxtoolbox", "did you mean `scanner_warning`?"),
        ("propagation", "did you mean `fix_does_not_show`?"),
    ] {
        let wrong = run(&["explain", word]).wrong(2);
        assert_eq!(
            wrong,
            format!("banneret: no verdict, finding, outcome or topic is called `{word}`; {told}")
        );
    }
    assert!(!run(&["explain", "\u{1b}[2Jx"]).wrong(2).contains('\u{1b}'));
}

#[test]
fn a_question_in_ones_own_words_is_answered() {
    for words in [
        &["Reverse DNS does not match SMTP Banner"][..],
        &["reverse", "dns", "does", "not", "match", "banner"],
    ] {
        let told = run(&[&["explain"], words].concat()).fine();
        assert!(told.starts_with("scanner_warning\n\n") && told.contains("\nSee also: "), "{told}");
    }
    assert!(run(&["explain", "shared", "hosting"]).fine().starts_with("shared_hosting\n"));
    assert_eq!(
        run(&["explain", "xyzzy", "plugh"]).wrong(2),
        "banneret: nothing here speaks of `xyzzy plugh`; `banneret explain` lists all"
    );
}
