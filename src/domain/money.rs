//! Whole cents, checked, and the one place where money is rounded.
//!
//! [`Cents`] has no `+` or `-`: every sum can overflow and says so. [`Exact`] carries an amount that is not
//! a whole number of cents yet; [`Exact::round`] is the only way from it to [`Cents`] (`DOMAIN.md §6`).
//! The currency is the county's and is not repeated in each amount. There are no floats here.

use super::time::DAY_US;
use std::fmt;
use std::str::FromStr;

/// A sum that does not fit. Amounts this large are wrong input, never a reason to stop the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the amount is too large to be held in 64-bit cents")]
pub struct Overflow;

/// A whole number of cents; negative where money goes the other way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cents(i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// That many cents.
    #[must_use]
    pub const fn new(cents: i64) -> Self {
        Self(cents)
    }

    /// The number of cents.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether this is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Overflow`] where the sum does not fit.
    pub fn try_add(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// This without the other.
    ///
    /// # Errors
    /// [`Overflow`] where the difference does not fit.
    pub fn try_sub(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// The opposite amount, as in the reversal of a posting.
    ///
    /// # Errors
    /// [`Overflow`] for the one amount that has no opposite.
    pub fn try_neg(self) -> Result<Self, Overflow> {
        self.0.checked_neg().map(Self).ok_or(Overflow)
    }

    /// All together.
    ///
    /// # Errors
    /// [`Overflow`] where the total, or a total on the way, does not fit.
    pub fn try_sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        amounts.into_iter().try_fold(Self::ZERO, Self::try_add)
    }

    /// For people: thousands apart, two decimals, as in `-1,234.56`.
    #[must_use]
    pub fn grouped(self) -> String {
        let units = (self.0.unsigned_abs() / 100).to_string();
        let mut text = String::from(if self.0 < 0 { "-" } else { "" });
        for (n, digit) in units.chars().enumerate() {
            if n > 0 && (units.len() - n).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text + &format!(".{:02}", self.0.unsigned_abs() % 100)
    }
}

/// For machines and files: `-1234.56`.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:02}", size / 100, size % 100))
    }
}

impl fmt::Debug for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is not an amount such as 126, 126.5 or -1,126.00 (at most two decimals)")]
pub struct BadAmount;

/// Reads `126`, `126.5`, `-1,126.00`. More than two decimals are refused, never rounded.
impl FromStr for Cents {
    type Err = BadAmount;
    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let (negative, size) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (units, decimals) = size.split_once('.').map_or((size, "0"), |(units, decimals)| (units, decimals));
        let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let units: String = ungrouped(units).ok_or(BadAmount)?;
        if !plain(&units) || !plain(decimals) || decimals.len() > 2 {
            return Err(BadAmount);
        }
        let units: i128 = units.parse().map_err(|_| BadAmount)?;
        let decimals: i128 = format!("{decimals:0<2}").parse().map_err(|_| BadAmount)?;
        let cents = units.checked_mul(100).and_then(|whole| whole.checked_add(decimals)).ok_or(BadAmount)?;
        i64::try_from(if negative { -cents } else { cents }).map(Self).map_err(|_| BadAmount)
    }
}

/// The digits without their thousands' commas, if those stand where they must.
fn ungrouped(units: &str) -> Option<String> {
    let mut groups = units.split(',');
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let placed = rest.is_empty() || ((1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3));
    placed.then(|| rest.iter().fold(first.to_owned(), |all, group| all + group))
}

/// An amount in cents as an exact fraction over one day: the unit is one cent divided by the microseconds
/// of 24 hours, so that "so much a day" times any elapsed time is a whole number of units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Exact(i128);

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A whole amount.
    #[must_use]
    pub fn whole(amount: Cents) -> Self {
        // 64 bits of cents times 37 bits of microseconds: always fits.
        Self(i128::from(amount.0) * i128::from(DAY_US))
    }

    /// `per_day` for each 24 hours, over `us` microseconds.
    #[must_use]
    pub fn accrued(per_day: Cents, us: i64) -> Self {
        // 64 bits times 64 bits: always fits.
        Self(i128::from(per_day.0) * i128::from(us))
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Overflow`] where the sum does not fit.
    pub fn try_add(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// The one rounding of money there is: to whole cents, half to even (`DOMAIN.md §6`).
    ///
    /// # Errors
    /// [`Overflow`] where the cents do not fit.
    pub fn round(self) -> Result<Cents, Overflow> {
        let rounded = half_even(self.0, i128::from(DAY_US)).ok_or(Overflow)?;
        i64::try_from(rounded).map(Cents).map_err(|_| Overflow)
    }
}

/// `numerator / denominator` to the nearest whole number, halves to the even one. Nothing where the
/// denominator is not positive.
#[must_use]
pub fn half_even(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let (below, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let to_next = denominator - rest;
    let up = rest > to_next || (rest == to_next && below.rem_euclid(2) == 1);
    Some(below + i128::from(up))
}

/// An ISO 4217 code, such as `USD`. One per county.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The dollar of the United States.
    pub const USD: Self = Self(*b"USD");

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only capital letters are ever kept.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Why a text is no currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is not an ISO 4217 code of three capital letters, such as USD")]
pub struct BadCurrency;

impl FromStr for Currency {
    type Err = BadCurrency;
    fn from_str(text: &str) -> Result<Self, BadCurrency> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| BadCurrency)?;
        if code.iter().all(u8::is_ascii_uppercase) { Ok(Self(code)) } else { Err(BadCurrency) }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::HOUR_US;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_to_the_even_cent() {
        let cases = [
            ((0, 2), 0),
            ((1, 2), 0),
            ((3, 2), 2),
            ((5, 2), 2),
            ((7, 2), 4),
            ((-1, 2), 0),
            ((-3, 2), -2),
            ((-5, 2), -2),
            ((4, 3), 1),
            ((5, 3), 2),
            ((-4, 3), -1),
            ((-5, 3), -2),
            ((i128::MAX, 1), i128::MAX),
            ((i128::MIN, 1), i128::MIN),
        ];
        for ((numerator, denominator), rounded) in cases {
            assert_eq!(half_even(numerator, denominator), Some(rounded), "{numerator}/{denominator}");
        }
        assert_eq!(half_even(1, 0), None);
        assert_eq!(half_even(1, -2), None);
    }

    #[test]
    fn an_hour_of_a_day_is_exact() {
        let day = Cents::new(12_600);
        assert_eq!(Exact::accrued(day, HOUR_US).round(), Ok(Cents::new(525)));
        assert_eq!(Exact::accrued(day, HOUR_US / 2).round(), Ok(Cents::new(262)), "262.5 to the even cent");
        assert_eq!(Exact::whole(Cents::new(-7)).round(), Ok(Cents::new(-7)));
    }

    #[test]
    fn overflow_is_an_answer() {
        let most = Cents::new(i64::MAX);
        assert_eq!(most.try_add(Cents::new(1)), Err(Overflow));
        assert_eq!(Cents::new(i64::MIN).try_sub(Cents::new(1)), Err(Overflow));
        assert_eq!(Cents::new(i64::MIN).try_neg(), Err(Overflow));
        assert_eq!(Cents::try_sum([most, Cents::new(1), Cents::new(-1)]), Err(Overflow));
        let large = Exact::accrued(most, i64::MAX);
        assert_eq!(large.round(), Err(Overflow));
        assert_eq!(large.try_add(large).and_then(|sum| sum.try_add(large)), Err(Overflow));
    }

    #[test]
    fn how_amounts_read() {
        let cases = [
            (0, "0.00", "0.00"),
            (5, "0.05", "0.05"),
            (-5, "-0.05", "-0.05"),
            (99_999, "999.99", "999.99"),
            (100_000, "1000.00", "1,000.00"),
            (-123_456_789, "-1234567.89", "-1,234,567.89"),
            (i64::MIN, "-92233720368547758.08", "-92,233,720,368,547,758.08"),
        ];
        for (cents, plain, grouped) in cases {
            assert_eq!(Cents::new(cents).to_string(), plain);
            assert_eq!(Cents::new(cents).grouped(), grouped);
            assert_eq!(plain.parse(), Ok(Cents::new(cents)));
            assert_eq!(grouped.parse(), Ok(Cents::new(cents)));
        }
        assert_eq!("126".parse(), Ok(Cents::new(12_600)));
        assert_eq!("126.5".parse(), Ok(Cents::new(12_650)));
        for bad in
            ["", "-", ".", "1.", ".5", "1.234", "1,23", "12345,678", ",123", "1e3", "+1", "--1", "1 000", "92233720368547758.08"]
        {
            assert_eq!(bad.parse::<Cents>(), Err(BadAmount), "{bad}");
        }
    }

    #[test]
    fn currencies_are_three_capitals() {
        assert_eq!("USD".parse(), Ok(Currency::USD));
        for bad in ["", "usd", "US", "USDX", "U$D", "€"] {
            assert_eq!(bad.parse::<Currency>(), Err(BadCurrency), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn rounding_is_never_off_by_more_than_half(numerator in any::<i64>(), denominator in 1i64..) {
            let (n, d) = (i128::from(numerator), i128::from(denominator));
            let rounded = half_even(n, d).unwrap();
            let twice_off = 2 * (rounded * d - n).abs();
            prop_assert!(twice_off < d || (twice_off == d && rounded % 2 == 0));
        }

        #[test]
        fn grouped_reads_back(cents in any::<i64>()) {
            prop_assert_eq!(Cents::new(cents).grouped().parse(), Ok(Cents::new(cents)));
        }
    }
}
