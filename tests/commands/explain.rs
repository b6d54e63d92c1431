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
        "banneret: no verdict, finding or topic is called `ptr_mising`; did you mean `ptr_missing`?"
    );
    assert_eq!(
        run(&["explain", "xyzzy"]).wrong(2),
        "banneret: no verdict, finding or topic is called `xyzzy`; `banneret explain` lists all"
    );
    assert!(!run(&["explain", "\u{1b}[2Jx"]).wrong(2).contains('\u{1b}'));
}
