using System.Collections.Frozen;

namespace Hexcast.Media.Subtitles;

/// <summary>
/// Language tags as containers write them (ISO 639-2, both its codes, or BCP 47) as players want them: BCP 47, with the
/// two-letter code where there is one (RFC 5646, 2.2.1). The framework's own tables are not in this build.
/// </summary>
public static class Languages
{
    public const string Undetermined = "und";

    private const int MaxTagChars = 35;

    // ISO 639-1, 639-2/T, 639-2/B where it differs, the name in English.
    private const string Table = """
        aa aar Afar|ab abk Abkhazian|af afr Afrikaans|ak aka Akan|am amh Amharic|an arg Aragonese|ar ara Arabic
        as asm Assamese|av ava Avaric|ay aym Aymara|az aze Azerbaijani|ba bak Bashkir|be bel Belarusian|bg bul Bulgarian
        bi bis Bislama|bm bam Bambara|bn ben Bengali|bo bod/tib Tibetan|br bre Breton|bs bos Bosnian|ca cat Catalan
        ce che Chechen|ch cha Chamorro|co cos Corsican|cr cre Cree|cs ces/cze Czech|cv chv Chuvash|cy cym/wel Welsh
        da dan Danish|de deu/ger German|dv div Divehi|dz dzo Dzongkha|ee ewe Ewe|el ell/gre Greek|en eng English
        eo epo Esperanto|es spa Spanish|et est Estonian|eu eus/baq Basque|fa fas/per Persian|ff ful Fulah
        fi fin Finnish|fj fij Fijian|fo fao Faroese|fr fra/fre French|fy fry Western Frisian|ga gle Irish
        gd gla Scottish Gaelic|gl glg Galician|gn grn Guarani|gu guj Gujarati|gv glv Manx|ha hau Hausa|he heb Hebrew
        hi hin Hindi|ho hmo Hiri Motu|hr hrv Croatian|ht hat Haitian Creole|hu hun Hungarian|hy hye/arm Armenian
        hz her Herero|ia ina Interlingua|id ind Indonesian|ie ile Interlingue|ig ibo Igbo|ii iii Sichuan Yi
        ik ipk Inupiaq|io ido Ido|is isl/ice Icelandic|it ita Italian|iu iku Inuktitut|ja jpn Japanese|jv jav Javanese
        ka kat/geo Georgian|kg kon Kongo|ki kik Kikuyu|kj kua Kuanyama|kk kaz Kazakh|kl kal Greenlandic|km khm Khmer
        kn kan Kannada|ko kor Korean|kr kau Kanuri|ks kas Kashmiri|ku kur Kurdish|kv kom Komi|kw cor Cornish
        ky kir Kyrgyz|la lat Latin|lb ltz Luxembourgish|lg lug Ganda|li lim Limburgish|ln lin Lingala|lo lao Lao
        lt lit Lithuanian|lu lub Luba-Katanga|lv lav Latvian|mg mlg Malagasy|mh mah Marshallese|mi mri/mao Maori
        mk mkd/mac Macedonian|ml mal Malayalam|mn mon Mongolian|mr mar Marathi|ms msa/may Malay|mt mlt Maltese
        my mya/bur Burmese|na nau Nauru|nb nob Norwegian Bokmål|nd nde North Ndebele|ne nep Nepali|ng ndo Ndonga
        nl nld/dut Dutch|nn nno Norwegian Nynorsk|no nor Norwegian|nr nbl South Ndebele|nv nav Navajo|ny nya Chichewa
        oc oci Occitan|oj oji Ojibwa|om orm Oromo|or ori Odia|os oss Ossetian|pa pan Punjabi|pi pli Pali|pl pol Polish
        ps pus Pashto|pt por Portuguese|qu que Quechua|rm roh Romansh|rn run Rundi|ro ron/rum Romanian|ru rus Russian
        rw kin Kinyarwanda|sa san Sanskrit|sc srd Sardinian|sd snd Sindhi|se sme Northern Sami|sg sag Sango
        si sin Sinhala|sk slk/slo Slovak|sl slv Slovenian|sm smo Samoan|sn sna Shona|so som Somali|sq sqi/alb Albanian
        sr srp Serbian|ss ssw Swati|st sot Southern Sotho|su sun Sundanese|sv swe Swedish|sw swa Swahili|ta tam Tamil
        te tel Telugu|tg tgk Tajik|th tha Thai|ti tir Tigrinya|tk tuk Turkmen|tl tgl Tagalog|tn tsn Tswana|to ton Tonga
        tr tur Turkish|ts tso Tsonga|tt tat Tatar|tw twi Twi|ty tah Tahitian|ug uig Uyghur|uk ukr Ukrainian|ur urd Urdu
        uz uzb Uzbek|ve ven Venda|vi vie Vietnamese|vo vol Volapük|wa wln Walloon|wo wol Wolof|xh xho Xhosa
        yi yid Yiddish|yo yor Yoruba|za zha Zhuang|zh zho/chi Chinese|zu zul Zulu
        """;

    private static readonly FrozenDictionary<string, (string Short, string Name)> ByCode = Parse();

    /// <summary>The BCP 47 tag, in its usual case; <c>und</c> for what is none.</summary>
    public static string Normalize(string? tag)
    {
        var parts = (tag ?? "").Trim().Replace('_', '-').Split('-');
        if (tag is null || tag.Length > MaxTagChars || parts[0].Length is < 2 or > 8
            || !parts[0].All(char.IsAsciiLetter)
            || !parts.Skip(1).All(p => p.Length is >= 1 and <= 8 && p.All(char.IsAsciiLetterOrDigit)))
        {
            return Undetermined;
        }

        var language = parts[0].ToLowerInvariant();
        parts[0] = ByCode.TryGetValue(language, out var known) ? known.Short : language;
        for (var i = 1; i < parts.Length; i++)
        {
            // RFC 5646, 2.1.1: a script's first letter is upper case, a region is.
            parts[i] = parts[i].Length switch
            {
                4 when parts[i].All(char.IsAsciiLetter) =>
                    char.ToUpperInvariant(parts[i][0]) + parts[i][1..].ToLowerInvariant(),
                2 => parts[i].ToUpperInvariant(),
                _ => parts[i].ToLowerInvariant(),
            };
        }

        return string.Join('-', parts);
    }

    /// <summary>What people call it, in English; the tag itself where that is not known.</summary>
    public static string Name(string tag)
    {
        var cut = tag.IndexOf('-', StringComparison.Ordinal);
        var language = cut < 0 ? tag : tag[..cut];
        return tag == Undetermined ? "Unknown language"
            : !ByCode.TryGetValue(language, out var known) ? tag
            : cut < 0 ? known.Name : $"{known.Name} ({tag[(cut + 1)..]})";
    }

    private static FrozenDictionary<string, (string Short, string Name)> Parse()
    {
        var codes = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
        foreach (var entry in Table.Split(['|', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = entry.Split(' ', 3);
            foreach (var code in fields[1].Split('/').Prepend(fields[0]))
            {
                codes.Add(code, (fields[0], fields[2]));
            }
        }

        return codes.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
